"""The command line: one module for each command, each with `add` (its arguments) and `run`."""
