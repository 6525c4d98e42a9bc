"""The states of all versions, as GetModelStatus reports them, and waiting for states."""

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

from model_server.errors import StatusError


class State(IntEnum):
    """The states of a version, numbered as in ModelVersionStatus.State."""

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


class Watch:
    """Waits until each of some models has a version that is AVAILABLE or has ended.

    This is decided at each change of a state, so changes after the decision do not matter, however late the waiting
    thread runs.
    """

    def __init__(self, names: Collection[str], seen: Mapping[str, Mapping[int, VersionState]]) -> None:
        """`seen` is what counts besides the changes to come. The board tells those, and is locked meanwhile."""
        self._seen = {name: dict(seen.get(name, {})) for name in names}
        self._settled: dict[str, VersionState] = {}
        self._over = threading.Event()
        self._judge()

    def tell(self, name: str, seen: VersionState) -> None:
        """A state changed."""
        if name in self._seen and not self._over.is_set():
            self._seen[name][seen.version] = seen
            self._judge()

    def wait(self) -> dict[str, VersionState]:
        """By model, in the order of names, the highest such version; no time limit."""
        self._over.wait()
        return self._settled

    def _judge(self) -> None:
        settled = {name: one for name in sorted(self._seen) if (one := _settled(self._seen[name]))}
        if len(settled) == len(self._seen):
            self._settled = settled
            self._over.set()


def _settled(versions: Mapping[int, VersionState]) -> VersionState | None:
    ready = [version for version, one in versions.items() if one.state in (State.AVAILABLE, State.END)]
    return versions[max(ready)] if ready else None


class StateBoard:
    """The states of all versions, which are kept until the process ends. Thread-safe."""

    def __init__(self) -> None:
        self._models: dict[str, dict[int, VersionState]] = {}
        self._watches: list[Watch] = []
        self._lock = threading.Lock()

    def write(self, name: str, version: int, state: State, error: StatusError | None = None) -> None:
        """Records a new state and tells the watches."""
        seen = VersionState(version, state, error)
        with self._lock:
            self._models.setdefault(name, {})[version] = seen
            for watch in self._watches:
                watch.tell(name, seen)

    def versions(self, name: str) -> tuple[VersionState, ...]:
        """All versions of the model, highest first; empty for a name that never had one."""
        with self._lock:
            return tuple(sorted(self._models.get(name, {}).values(), key=lambda seen: -seen.version))

    def is_available(self, name: str, version: int) -> bool:
        """Whether this very version serves at this moment."""
        return any(seen.version == version and seen.state is State.AVAILABLE for seen in self.versions(name))

    @contextmanager
    def watch(self, names: Collection[str], from_now_on: bool) -> Iterator[Watch]:
        """A watch on these models; `from_now_on` leaves out what was written before."""
        with self._lock:
            watch = Watch(names, {} if from_now_on else self._models)
            self._watches.append(watch)
        try:
            yield watch
        finally:
            with self._lock:
                self._watches.remove(watch)
