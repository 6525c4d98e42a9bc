"""The health service: off by default; once on, static."""

from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.model_server.client import CALL_SECONDS
from tests.servers import ModelServer

SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def health(flagged: ModelServer) -> Iterator[health_pb2_grpc.HealthStub]:
    with grpc.insecure_channel(flagged.address) as channel:
        yield health_pb2_grpc.HealthStub(channel)


@pytest.mark.parametrize("name", ["", "ModelService", "PredictionService"])
def test_the_short_names_and_the_whole_are_serving(health: health_pb2_grpc.HealthStub, name: str) -> None:
    request = health_pb2.HealthCheckRequest(service=name)
    assert health.Check(request, timeout=CALL_SECONDS).status == SERVING
    watch = health.Watch(request, timeout=CALL_SECONDS)
    assert next(watch).status == SERVING
    watch.cancel()


@pytest.mark.parametrize("name", ["tensorflow.serving.PredictionService", "default"])
def test_other_names_are_unknown(health: health_pb2_grpc.HealthStub, name: str) -> None:
    request = health_pb2.HealthCheckRequest(service=name)
    with pytest.raises(grpc.RpcError) as caught:
        health.Check(request, timeout=CALL_SECONDS)
    assert (caught.value.code().name, caught.value.details()) == ("NOT_FOUND", "service name unknown")
    watch = health.Watch(request, timeout=CALL_SECONDS)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    watch.cancel()


def test_without_the_flag_there_is_no_such_service(address: str) -> None:
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as caught:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=CALL_SECONDS)
    assert (caught.value.code().name, caught.value.details()) == ("UNIMPLEMENTED", "")
