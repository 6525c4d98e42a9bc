"""Trained classifier to a published, checked SavedModel version. `python -m export --help` says how."""
