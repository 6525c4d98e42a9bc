"""Which version is loaded or unloaded next: the availability-preserving order of the stock server."""

import enum
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


class Action(enum.Enum):
    """What happens to the chosen version."""

    LOAD = "load"
    UNLOAD = "unload"


class Phase(enum.Enum):
    """How far the manager is with a version."""

    NEW = "not tried yet"
    BUSY = "being loaded or unloaded"
    SERVING = "lent out"
    OVER = "failed or unloaded"


@dataclass
class Managed:
    """A version that is or was wanted."""

    version: int
    path: Path
    is_aspired: bool = True
    phase: Phase = Phase.NEW


def next_action(versions: Collection[Managed]) -> tuple[Action, int] | None:
    """The next step for one model, or None if there is nothing to do.

    An unwanted version goes, lowest first, once a wanted one serves, or none is wanted, or another unwanted one stays;
    else the highest wanted version that was not tried yet comes.
    """
    unwanted = sorted(one.version for one in versions if one.phase is Phase.SERVING and not one.is_aspired)
    wanted = [one for one in versions if one.is_aspired]
    if unwanted and (not wanted or len(unwanted) > 1 or any(one.phase is Phase.SERVING for one in wanted)):
        return Action.UNLOAD, unwanted[0]
    untried = [one.version for one in wanted if one.phase is Phase.NEW]
    return (Action.LOAD, max(untried)) if untried else None
