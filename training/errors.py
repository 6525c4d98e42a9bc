"""The errors of training. Each message says what is wrong, where, and what to do.

TrainingError
├── DataError
│   └── DownloadError
├── RecipeError
├── EncoderError
└── ClassifierError
"""


class TrainingError(Exception):
    """Anything that `python -m training` reports in one line instead of a traceback."""


class DataError(TrainingError):
    """The data set is missing or of another shape; the message names file, conversation and turn."""


class DownloadError(DataError):
    """The published data set could not be fetched whole; nothing half-written is left in the cache."""


class RecipeError(TrainingError):
    """A recipe has an unknown key, lacks a key, or has a value that is not allowed."""


class EncoderError(TrainingError):
    """The encoder cannot be found, or is not hub-shaped."""


class ClassifierError(TrainingError):
    """A classifier directory is missing or incomplete."""
