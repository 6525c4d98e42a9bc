"""The errors of export. Each message says what is wrong and what to do; nothing is published after any of them.

ExportError
├── CheckError
├── ModelsDirectoryError
└── PrecisionError
"""


class ExportError(Exception):
    """Anything that `python -m export` reports in one line instead of a traceback."""


class CheckError(ExportError):
    """The written SavedModel is not what the model server needs, or does not answer as the classifier does."""


class ModelsDirectoryError(ExportError):
    """The directory of versions cannot be used."""


class PrecisionError(ExportError):
    """The encoder cannot be computed in the precision that was asked for."""
