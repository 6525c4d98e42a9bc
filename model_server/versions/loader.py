"""Makes a servable of a version directory: session, warm-up, retries, and errors in the stock server's words."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from model_server.batching.batcher import Batcher
from model_server.command_line import Options
from model_server.errors import Code, StatusError
from model_server.graph import saved_model
from model_server.graph.session import Session
from model_server.graph.session_options import session_config
from model_server.inference.servable import Servable
from model_server.metrics import metrics
from model_server.process.runtime import run_first_session
from model_server.versions.warmup import warm_up

_log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Loader:
    """Loads versions by one set of flags."""

    def __init__(self, options: Options, cpus: int) -> None:
        """Reads the files that the flags name."""
        self._tags = [tag for tag in options.saved_model_tags.split(",") if tag]
        self._batcher = Batcher(options)
        self._config = session_config(options, cpus)
        run_first_session(self._config)
        self._warmup_iterations = max(1, options.num_request_iterations_for_warmup) * options.enable_model_warmup
        self._checks_method_names = options.enable_signature_method_name_check
        self._retries = max(0, options.max_num_load_retries)
        self._pause = max(0, options.load_retry_interval_micros) / 1e6

    def load(
        self, name: str, version: int, path: Path, wanted: Callable[[], bool], announce: Callable[[], None]
    ) -> Servable:
        """The servable, after as many attempts as the flags allow and while the version is still `wanted`.

        `announce` is called once the files are found and loading starts.

        Raises:
            StatusError: of the last attempt; CANCELLED if nobody wants the version any more.
        """
        label = f"{{name: {name} version: {version}}}"
        self._retry(lambda: _reserve(path, label), label, wanted)
        announce()
        servable = self._retry(lambda: self._load(name, version, path), label, wanted)
        if not wanted():
            servable.retire()
            raise StatusError(Code.CANCELLED, "Loading of servable cancelled")
        _log.info("Successfully loaded servable version %s", label)
        return servable

    def _load(self, name: str, version: int, path: Path) -> Servable:
        session, signatures = self._read(path)
        try:
            runner = self._batcher.wrap(session, path)
        except StatusError:
            session.close()
            raise
        servable = Servable(name, version, runner, signatures, self._checks_method_names)
        try:
            if self._warmup_iterations:
                warm_up(servable, path, self._warmup_iterations)
        except StatusError:
            servable.retire()
            raise
        return servable

    def _read(self, path: Path) -> tuple[Session, saved_model.Signatures]:
        start = time.perf_counter()
        try:
            loaded = saved_model.load(path, self._tags, self._config)
        except StatusError:
            metrics.load_attempt_count.add(str(path), "fail")
            raise
        metrics.load_attempt_count.add(str(path), "success")
        metrics.load_latency.add(str(path), by=metrics.microseconds(time.perf_counter() - start))
        return loaded

    def _retry(self, attempt: Callable[[], Result], label: str, wanted: Callable[[], bool]) -> Result:
        retries = self._retries
        while True:
            try:
                return attempt()
            except StatusError as error:
                _log.error("Loading servable: %s failed: %s", label, error)
                if not retries or not wanted():
                    raise
            retries -= 1
            time.sleep(self._pause)


def _reserve(path: Path, label: str) -> None:
    try:
        saved_model.check_directory(path)
    except StatusError as error:
        message = f"Error while attempting to reserve resources to load servable {label}: {error.message}"
        raise StatusError(error.code, message) from None
