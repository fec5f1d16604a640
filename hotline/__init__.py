"""The core of the 12345 hotline: the ticket's life, intake, storage and wiring. See docs/architecture.md."""
