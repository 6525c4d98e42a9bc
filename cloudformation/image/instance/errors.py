"""The errors of the instance's programs."""


class InstanceError(Exception):
    """What is wrong and what to do about it, in one line for the journal."""


class GoldenError(InstanceError):
    """The service does not answer as it must."""


class NotReadyError(InstanceError):
    """Not ready in time."""
