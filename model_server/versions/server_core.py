"""Applies a configuration as a whole, and resolves a request's ModelSpec to a loaded version."""

import logging
import threading
from collections.abc import Mapping, Sequence

from tensorflow_serving.apis import get_model_status_pb2, model_pb2
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from model_server.config import config
from model_server.errors import CheckFailure, Code, StatusError, failed_precondition, invalid_argument, not_found
from model_server.inference.servable import Servable
from model_server.versions.manager import Manager
from model_server.versions.source import Source
from model_server.versions.states import State, StateBoard, VersionState

_log = logging.getLogger(__name__)

Labels = Mapping[str, Mapping[str, int]]
# The kind of configuration that can be reloaded.
_LIST = "model_config_list"


class ServerCore:
    """What the APIs ask for versions, labels and states."""

    def __init__(self, manager: Manager, source: Source, board: StateBoard, allow_unavailable_labels: bool) -> None:
        self._board = board
        self._manager = manager
        self._source = source
        self._allow_unavailable_labels = allow_unavailable_labels
        self._config = ModelServerConfig()
        self._names: frozenset[str] = frozenset()
        self._has_started = False
        self._labels: Labels = {}
        self._applying = threading.Lock()

    def apply(self, new: ModelServerConfig) -> None:
        """Takes a configuration, which is total, and waits without a time limit for the models that are new in it.

        What is refused after `_check` leaves the models and labels that are served as they were, but the next
        configuration is compared with this one, as in the stock server.

        Raises:
            CheckFailure: a custom configuration, at start.
            StatusError: INVALID_ARGUMENT or FAILED_PRECONDITION, it is refused; UNKNOWN, a model failed to load.
        """
        with self._applying:
            self._check(new)
            if new.WhichOneof("config") is None:
                _log.info("Taking no action for empty config.")
                return
            if new.WhichOneof("config") == "custom_model_config":
                raise CheckFailure("ModelServer does not support custom model config; list models instead")
            # A copy: the models that are served are parts of it.
            self._config = ModelServerConfig()
            self._config.CopyFrom(new)
            models = self._config.model_config_list
            self._labels = self._checked_labels(models.config)
            config.check_platforms(models)
            self._switch(models.config)
            if any(model.HasField("logging_config") for model in models.config):
                raise invalid_argument("No request-logger-creator provided.")

    def _check(self, new: ModelServerConfig) -> None:
        old_kind, new_kind = self._config.WhichOneof("config"), new.WhichOneof("config")
        if old_kind and new != self._config and (old_kind, new_kind) != (_LIST, _LIST):
            raise failed_precondition(
                "Cannot transition to requested config. It is only legal to transition from one ModelConfigList to "
                "another."
            )
        config.check(new.model_config_list)
        config.check_same_platforms(self._config.model_config_list, new.model_config_list)

    def _switch(self, models: Sequence[ModelConfig]) -> None:
        names = frozenset(model.name for model in models)
        awaited = names - self._names if self._has_started else names
        # What a version was before it was dropped says nothing about the one to come.
        with self._board.watch(awaited, from_now_on=self._has_started) as watch:
            self._names = names
            self._source.configure(models)
            settled = watch.wait()
        failed = [(name, seen) for name, seen in settled.items() if seen.state is not State.AVAILABLE]
        if failed:
            kind = "model" if self._has_started else "servable"
            reasons = "".join(_reason(name, seen) for name, seen in failed)
            raise StatusError(Code.UNKNOWN, f"{len(failed)} {kind}(s) did not become available: {{{reasons}}}")
        self._has_started = True

    def acquire(self, spec: model_pb2.ModelSpec) -> Servable:
        """A lease on the version that the spec means, to be used in a `with` statement."""
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

    def status(self, spec: model_pb2.ModelSpec) -> get_model_status_pb2.GetModelStatusResponse:
        """Every version ever seen, highest first, or the one that the spec names. A label is not looked at."""
        seen = self._board.versions(spec.name)
        if not seen:
            raise not_found(f"Could not find any versions of model {spec.name}")
        if spec.HasField("version"):
            seen = tuple(one for one in seen if one.version == spec.version.value)
            if not seen:
                raise not_found(f"Could not find version {spec.version.value} of model {spec.name}")
        response = get_model_status_pb2.GetModelStatusResponse()
        for one in seen:
            status = response.model_version_status.add(version=one.version, state=int(one.state)).status
            status.SetInParent()
            if one.error:
                status.error_code = int(one.error.code)
                status.error_message = one.error.message
        return response

    def _checked_labels(self, models: Sequence[ModelConfig]) -> Labels:
        for model in models:
            current = self._labels.get(model.name, {})
            for label, version in model.version_labels.items():
                may_wait = self._allow_unavailable_labels and current.get(label, version) == version
                if not may_wait and not self._board.is_available(model.name, version):
                    raise failed_precondition(
                        f"Request to assign label to version {version} of model {model.name}, "
                        "which is not currently available for inference"
                    )
        return {model.name: dict(model.version_labels) for model in models}


def _reason(name: str, seen: VersionState) -> str:
    error = f" due to error: {seen.error}" if seen.error else ""
    return f"{{{{name: {name} version: {seen.version}}}{error}}}, "
