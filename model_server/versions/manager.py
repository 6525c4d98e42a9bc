"""Loads and unloads versions until the wanted ones are loaded, one step at a time, and lends them to requests."""

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor

from model_server.errors import Code, StatusError, not_found
from model_server.inference.servable import Servable
from model_server.process import memory
from model_server.versions.discovery import Aspired
from model_server.versions.loader import Loader
from model_server.versions.periodic import run_periodically
from model_server.versions.rollout import Action, Managed, Phase, next_action
from model_server.versions.states import State, StateBoard

_log = logging.getLogger(__name__)

# The stock server's manager acts once in this many seconds.
TICK_SECONDS = 0.1


class Manager:
    """Owns every servable. `aspire` and `acquire` may be called from any thread."""

    def __init__(self, loader: Loader, board: StateBoard, initial_threads: int, unload_threads: int) -> None:
        """`initial_threads` load in parallel until `finish_initial_load`.

        `unload_threads` unload; 0: the manager's own thread, so that nothing else happens meanwhile.
        """
        self._loader = loader
        self._board = board
        self._executors = {Action.LOAD: _executor(initial_threads), Action.UNLOAD: _executor(unload_threads)}
        self._lock = threading.Lock()
        self._pending: dict[str, Aspired] = {}
        self._models: dict[str, dict[int, Managed]] = {}
        # Replaced as a whole at each change, so that a request reads it without a lock. Highest version first.
        self._serving: Mapping[str, Mapping[int, Servable]] = {}
        self._thread = threading.Thread(
            target=run_periodically, args=(self._act, TICK_SECONDS), name="manager", daemon=True
        )

    def start(self) -> None:
        """Starts the manager's thread."""
        self._thread.start()

    def finish_initial_load(self, threads: int) -> None:
        """From now on `threads` load; 0 as for unloading."""
        initial, self._executors[Action.LOAD] = self._executors[Action.LOAD], _executor(threads)
        if initial:
            initial.shutdown(wait=False)

    def aspire(self, name: str, versions: Aspired) -> None:
        """Sets the wanted versions of a model, with their directories; acted upon at the next tick."""
        with self._lock:
            self._pending[name] = versions

    def acquire(self, name: str, version: int | None) -> Servable:
        """A lease on this version, or on the highest one that is loaded, to be used in a `with` statement."""
        while True:
            versions = self._serving.get(name, {})
            servable = versions.get(version) if version is not None else next(iter(versions.values()), None)
            if servable is None:
                wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
                raise not_found(f"Servable not found for request: {wanted}")
            # False only if it was dropped since the look-up; then it is no longer in the mapping either.
            if servable.acquire():
                return servable

    def _act(self) -> None:
        with self._lock:
            self._forget()
            self._adopt()
            step = self._next_step()
            if step:
                step[2].phase = Phase.BUSY
        if step:
            self._take(*step)

    def _forget(self) -> None:
        for managed in self._models.values():
            for version, one in list(managed.items()):
                if not one.is_aspired and one.phase in (Phase.NEW, Phase.OVER):
                    del managed[version]

    def _adopt(self) -> None:
        for name, versions in list(self._pending.items()):
            managed = self._models.setdefault(name, {})
            if any(version in managed and not managed[version].is_aspired for version in versions):
                # It came back while it is still being dropped: wait until that is over.
                continue
            del self._pending[name]
            for one in managed.values():
                one.is_aspired = one.version in versions
            for version, path in versions.items():
                if version not in managed:
                    managed[version] = Managed(version, path)
                    self._board.write(name, version, State.START)

    def _next_step(self) -> tuple[Action, str, Managed] | None:
        steps: list[tuple[Action, str, Managed]] = []
        for name, managed in self._models.items():
            if chosen := next_action(managed.values()):
                steps.append((chosen[0], name, managed[chosen[1]]))
        # Memory is freed before it is taken.
        return min(steps, key=lambda step: step[0] is not Action.UNLOAD, default=None)

    def _take(self, action: Action, name: str, managed: Managed) -> None:
        job = self._load if action is Action.LOAD else self._unload
        executor = self._executors[action]
        if executor:
            executor.submit(job, name, managed)
        else:
            job(name, managed)

    def _load(self, name: str, managed: Managed) -> None:
        version = managed.version
        try:
            servable = self._loader.load(
                name,
                version,
                managed.path,
                wanted=lambda: managed.is_aspired,
                announce=lambda: self._board.write(name, version, State.LOADING),
            )
        except StatusError as error:
            # Not the error itself, which holds on to the half-loaded model by its traceback.
            self._give_up(name, managed, StatusError(error.code, error.message))
        except Exception as error:
            # Whatever a directory holds, the others go on: an error of no known kind is reported like any other.
            _log.exception("Loading {name: %s version: %d} failed", name, version)
            self._give_up(name, managed, StatusError(Code.INTERNAL, f"{type(error).__name__}: {error}"))
        else:
            self._replace(name, {version: servable}, without=None)
            managed.phase = Phase.SERVING
            self._board.write(name, version, State.AVAILABLE)
        memory.release()

    def _give_up(self, name: str, managed: Managed, error: StatusError) -> None:
        _log.error("Servable {name: %s version: %d} cannot be loaded: %s", name, managed.version, error)
        managed.phase = Phase.OVER
        self._board.write(name, managed.version, State.END, error)

    def _unload(self, name: str, managed: Managed) -> None:
        version = managed.version
        servable = self._serving[name][version]
        self._replace(name, {}, without=version)
        self._board.write(name, version, State.UNLOADING)
        servable.retire()
        del servable
        memory.release()
        managed.phase = Phase.OVER
        self._board.write(name, version, State.END)
        _log.info("Unloaded servable version {name: %s version: %d}", name, version)

    def _replace(self, name: str, added: Mapping[int, Servable], without: int | None) -> None:
        with self._lock:
            versions = {**self._serving.get(name, {}), **added}
            kept = {version: versions[version] for version in sorted(versions, reverse=True) if version != without}
            self._serving = {**self._serving, name: kept}


def _executor(threads: int) -> Executor | None:
    return ThreadPoolExecutor(threads, "versions") if threads else None
