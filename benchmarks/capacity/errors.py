"""What can go wrong with the inputs.

CapacityError
├── TraceError
└── CostsError
"""


class CapacityError(Exception):
    """The benchmark cannot begin; the text says what to do."""


class TraceError(CapacityError):
    """The file of `--trace` is no trace of arrivals."""


class CostsError(CapacityError):
    """The file of `--costs` holds no measured costs."""
