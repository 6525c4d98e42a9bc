"""ModelService.HandleReloadConfigRequest: a new configuration over gRPC."""

import logging

from tensorflow_serving.apis import model_management_pb2

from model_server.errors import StatusError, invalid_argument
from model_server.metrics import metrics
from model_server.versions.server_core import ServerCore

_log = logging.getLogger(__name__)


def reload_config(
    core: ServerCore, request: model_management_pb2.ReloadConfigRequest
) -> model_management_pb2.ReloadConfigResponse:
    """Applies the configuration; the answer says by how much the int64 metrics rose that the request names.

    A metric that does not exist rises by 0.

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
