"""New configurations for a running server: from its file, which is read at intervals, or over gRPC."""

import logging
import threading

from tensorflow_serving.apis import model_management_pb2

from model_server.config.config import read_model_server_config
from model_server.errors import ModelServerError, StatusError, invalid_argument
from model_server.metrics import metrics
from model_server.versions.periodic import run_periodically
from model_server.versions.server_core import ServerCore

_log = logging.getLogger(__name__)


def poll(core: ServerCore, path: str, period: int) -> None:
    """Starts a thread that reads the file every `period` seconds and applies it, changed or not.

    An error is logged, and what was served before goes on.
    """
    threading.Thread(
        target=run_periodically, args=(lambda: _read_and_apply(core, path), period), name="config", daemon=True
    ).start()


def _read_and_apply(core: ServerCore, path: str) -> None:
    try:
        wanted = read_model_server_config(path)
    except (StatusError, OSError) as error:
        _log.error("Failed to read ModelServerConfig file: %s", _text(error))
        return
    try:
        core.apply(wanted)
    except ModelServerError as error:
        _log.error("PollFilesystemAndReloadConfig failed to ReloadConfig: %s", _text(error))


def _text(error: Exception) -> str:
    return error.message if isinstance(error, StatusError) else str(error)


def reload_config(
    core: ServerCore, request: model_management_pb2.ReloadConfigRequest
) -> model_management_pb2.ReloadConfigResponse:
    """ModelService.HandleReloadConfigRequest: applies the configuration.

    The answer says by how much each counter that the request names rose meanwhile; 0 for one that does not exist.

    Raises:
        StatusError: it is refused, or a new model did not become available; see `ServerCore.apply`.
    """
    before = metrics.counters()
    try:
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid_argument(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently "
                "supported"
            )
        core.apply(request.config)
    except StatusError as error:
        _log.error("ReloadConfig failed: %s", error.message)
        raise
    after = metrics.counters()
    response = model_management_pb2.ReloadConfigResponse()
    response.status.SetInParent()
    for name in request.metric_names:
        response.metric.add(name=name, int64_value_increase=after.get(name, 0) - before.get(name, 0))
    return response
