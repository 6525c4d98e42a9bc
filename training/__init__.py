"""Data set to trained classifier: load, clean, split, fit, evaluate, report. `python -m training --help` says how."""
