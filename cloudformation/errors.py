"""The errors of the fleet's command, with the exit status of each.

FleetError
├── AwsError
├── CheckerError
├── ImageMissingError
├── OperationFailedError
├── ReleaseError
├── StillRunningError
├── UsageError
└── RefusedError
    ├── DeclinedError
    ├── DirtyStateError
    └── ProtectedError
"""


class FleetError(Exception):
    """What went wrong and what to do about it, for the operator."""

    status = 1
    """The exit status of the command."""


class AwsError(FleetError):
    """No region, no credentials, or AWS refuses or does not answer."""


class CheckerError(FleetError):
    """A program that checks templates could not do so."""


class ImageMissingError(FleetError):
    """No image was made of the release that was named."""


class OperationFailedError(FleetError):
    """A stack operation failed, and CloudFormation went back or stopped."""


class ReleaseError(FleetError):
    """The release cannot be packed: something is missing, or lies where it must not."""


class UsageError(FleetError):
    """A parameter or an option is wrong."""

    status = 2


class RefusedError(FleetError):
    """Nothing was done, because it would not be safe."""

    status = 4


class DeclinedError(RefusedError):
    """The changes were shown and not made: --no-execute, or the answer was no."""

    status = 3


class DirtyStateError(RefusedError):
    """A stack is in a state from which the operation must not begin."""


class ProtectedError(RefusedError):
    """The deployment is protected against deletion."""


class StillRunningError(FleetError):
    """The command stopped waiting; the stack operation goes on without it."""

    status = 5
