"""The errors of the fleet's command: one class for each exit status."""


class FleetError(Exception):
    """What went wrong and what to do about it, for the operator."""

    status = 1
    """The exit status of the command."""


class UsageError(FleetError):
    """A parameter or an option is wrong."""

    status = 2


class DeclinedError(FleetError):
    """The changes were shown and not made: --no-execute, or the answer was no."""

    status = 3


class RefusedError(FleetError):
    """Nothing was done, because it would not be safe."""

    status = 4


class StillRunningError(FleetError):
    """The command stopped waiting; the stack operation goes on without it."""

    status = 5
