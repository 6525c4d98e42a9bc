"""The states of all versions ever seen, as GetModelStatus tells them, and waiting for them."""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from model_server.errors import StatusError


class State(IntEnum):
    """Life of a version, numbered as in ModelVersionStatus.State."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True)
class VersionState:
    """One version's state; `error` is set only at END, and only if the version failed."""

    version: int
    state: State
    error: StatusError | None = None


class StateBoard:
    """Who wants to know a state asks here; a version once written stays until the process ends. Thread-safe."""

    def __init__(self) -> None:
        self._models: dict[str, dict[int, VersionState]] = {}
        self._changed = threading.Condition()

    def write(self, name: str, version: int, state: State, error: StatusError | None = None) -> None:
        """Records a new state and wakes who waits for it."""
        with self._changed:
            self._models.setdefault(name, {})[version] = VersionState(version, state, error)
            self._changed.notify_all()

    def versions(self, name: str) -> tuple[VersionState, ...]:
        """All versions of the model, highest first; empty for a name that never had one."""
        with self._changed:
            return tuple(sorted(self._models.get(name, {}).values(), key=lambda seen: -seen.version))

    def is_available(self, name: str, version: int) -> bool:
        """Whether this very version serves at this moment."""
        return any(seen.version == version and seen.state is State.AVAILABLE for seen in self.versions(name))

    def wait_until_settled(self, names: Collection[str]) -> dict[str, VersionState]:
        """Waits, without a time limit, until each model has a version that is AVAILABLE or has ended.

        The highest such version decides, and is returned for each model.
        """
        with self._changed:
            while True:
                settled = {name: found for name in names if (found := self._settled(name))}
                if len(settled) == len(names):
                    return settled
                self._changed.wait()

    def _settled(self, name: str) -> VersionState | None:
        seen = sorted(self._models.get(name, {}).values(), key=lambda one: -one.version)
        return next((one for one in seen if one.state in (State.AVAILABLE, State.END)), None)
