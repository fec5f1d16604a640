"""PostgreSQL: everything that is kept, and the order in which it happened."""
