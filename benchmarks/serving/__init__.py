"""The service beside what it replaced and beside its own limits. `python -m benchmarks serving --help`."""
