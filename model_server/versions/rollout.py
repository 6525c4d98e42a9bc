"""Which version is loaded or unloaded next: the availability-preserving order of the stock server."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Action(enum.Enum):
    """What happens to the chosen version."""

    LOAD = "load"
    UNLOAD = "unload"


@dataclass(frozen=True)
class Snapshot:
    """A version as the rule sees it: wanted or not, not yet tried, serving, or neither (failed)."""

    version: int
    is_aspired: bool
    is_new: bool
    is_serving: bool


def next_action(snapshots: Iterable[Snapshot]) -> tuple[Action, int] | None:
    """The next step for one model, or None if there is nothing to do.

    An unwanted version goes, lowest first, once a wanted one serves, or none is wanted, or another unwanted one stays;
    else the highest wanted version that was not tried yet comes.
    """
    seen = tuple(snapshots)
    unwanted = sorted(one.version for one in seen if one.is_serving and not one.is_aspired)
    wanted = [one for one in seen if one.is_aspired]
    if unwanted and (not wanted or len(unwanted) > 1 or any(one.is_serving for one in wanted)):
        return Action.UNLOAD, unwanted[0]
    untried = [one.version for one in wanted if one.is_new]
    return (Action.LOAD, max(untried)) if untried else None
