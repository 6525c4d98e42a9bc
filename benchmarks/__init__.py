"""What repeats every published number. `python -m benchmarks --help` lists the benchmarks."""
