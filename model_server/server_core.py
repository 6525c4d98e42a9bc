"""Applies a configuration as a whole, and resolves a request's ModelSpec to a loaded version."""

import logging
import threading
from collections.abc import Mapping

from tensorflow_serving.apis import model_pb2
from tensorflow_serving.config import model_server_config_pb2

from model_server import config
from model_server.config import ModelConfig
from model_server.errors import Code, StatusError, failed_precondition, invalid_argument
from model_server.manager import Manager
from model_server.servable import Servable
from model_server.source import Source
from model_server.states import StateBoard

_log = logging.getLogger(__name__)

Labels = Mapping[str, Mapping[str, int]]


class ServerCore:
    """What every API asks: versions, labels, states."""

    def __init__(self, manager: Manager, source: Source, board: StateBoard, allow_unavailable_labels: bool) -> None:
        self.board = board
        self._manager = manager
        self._source = source
        self._allow_unavailable_labels = allow_unavailable_labels
        self._names: frozenset[str] = frozenset()
        self._labels: Labels = {}
        self._applying = threading.Lock()

    def apply(self, new: model_server_config_pb2.ModelServerConfig) -> None:
        """Takes a configuration, which is total, and waits without a time limit for the models that are new in it.

        Raises:
            StatusError: INVALID_ARGUMENT or FAILED_PRECONDITION, it is refused; UNKNOWN, a model failed to load.
        """
        with self._applying:
            if new.WhichOneof("config") is None:
                _log.info("Taking no action for empty config.")
                return
            listed = new.model_config_list
            config.check(listed)
            models = config.model_configs(listed)
            self._labels = self._checked_labels(models)
            names = frozenset(model.name for model in models)
            added, self._names = names - self._names, names
            self._source.configure(models)
            self._await(sorted(added))
            if any(model.HasField("logging_config") for model in listed.config):
                raise invalid_argument("No request-logger-creator provided.")

    def acquire(self, spec: model_pb2.ModelSpec) -> Servable:
        """A lease on the version that the spec means. Give it back with `release`.

        Raises:
            StatusError: INVALID_ARGUMENT, no name or an unknown label; NOT_FOUND.
        """
        name = spec.name
        if not name:
            raise invalid_argument("ModelSpec has no name specified.")
        choice = spec.WhichOneof("version_choice")
        if choice is None:
            return self._manager.acquire(name, None)
        if choice == "version":
            return self._manager.acquire(name, spec.version.value)
        version = self._labels.get(name, {}).get(spec.version_label)
        if version is None:
            raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
        return self._manager.acquire(name, version)

    def _checked_labels(self, models: tuple[ModelConfig, ...]) -> Labels:
        for model in models:
            current = self._labels.get(model.name, {})
            for label, version in model.labels.items():
                may_wait = self._allow_unavailable_labels and current.get(label, version) == version
                if not may_wait and not self.board.is_available(model.name, version):
                    raise failed_precondition(
                        f"Request to assign label to version {version} of model {model.name}, "
                        "which is not currently available for inference"
                    )
        return {model.name: model.labels for model in models}

    def _await(self, added: list[str]) -> None:
        kind = "servable"
        failed = [
            f"{{{{name: {name} version: {seen.version}}} due to error: {seen.error}}}, "
            for name, seen in self.board.wait_until_settled(added).items()
            if seen.error
        ]
        if failed:
            raise StatusError(Code.UNKNOWN, f"{len(failed)} {kind}(s) did not become available: {{{''.join(failed)}}}")
