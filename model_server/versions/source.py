"""Polls the file system for the versions of every configured model and says which are wanted (aspired).

One look covers all models: if one base path is missing the whole look is dropped, so that what is loaded stays
loaded, as in the stock server.
"""

import logging
import threading
from collections.abc import Callable, Iterable

from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from model_server.versions.discovery import Aspired, BasePathError, aspired
from model_server.versions.periodic import run_periodically

_log = logging.getLogger(__name__)


class Source:
    """Polls in a thread of its own and hands each model's aspired versions on."""

    def __init__(self, poll_seconds: int, aspire: Callable[[str, Aspired], None]) -> None:
        """`poll_seconds` 0 looks only once; negative never looks. `aspire` gets model and versions."""
        self._poll_seconds = poll_seconds
        self._aspire = aspire
        self._models: tuple[ModelConfig, ...] = ()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._poll, name="source", daemon=True)

    def configure(self, models: Iterable[ModelConfig]) -> None:
        """Replaces the models; those no longer among them lose all their versions at once.

        The first call starts to look, in the thread.
        """
        with self._lock:
            kept = {model.name for model in models}
            removed = [model.name for model in self._models if model.name not in kept]
            self._models = tuple(models)
            for name in removed:
                self._aspire(name, {})
            if not self._thread.ident:
                self._thread.start()

    def _poll(self) -> None:
        if self._poll_seconds > 0:
            run_periodically(self._look, self._poll_seconds)
        elif self._poll_seconds == 0:
            self._look()

    def _look(self) -> None:
        with self._lock:
            try:
                found = {model.name: aspired(model) for model in self._models}
            except BasePathError as error:
                _log.error("FileSystemStoragePathSource encountered a filesystem access error: %s", error)
                return
            for name, versions in found.items():
                self._aspire(name, versions)
