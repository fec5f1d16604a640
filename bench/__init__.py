"""Benchmarks: `make bench`. Everything is measured in one run on one machine; ratios matter, not absolutes."""
