"""A simulated year of a city through the real rules: `python -m tests.year` (`make year`)."""
