"""The reflection service: always on, v1alpha."""

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.model_server.client import CALL_SECONDS


def ask(address: str, **question: str) -> reflection_pb2.ServerReflectionResponse:
    """The answer to one question."""
    request = reflection_pb2.ServerReflectionRequest(**question)
    with grpc.insecure_channel(address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        (response,) = stub.ServerReflectionInfo(iter([request]), timeout=CALL_SECONDS)
    return response


def test_lists_the_services(address: str) -> None:
    listed = {service.name for service in ask(address, list_services="").list_services_response.service}
    assert listed >= {
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert "tensorflow.serving.SessionService" not in listed


@pytest.mark.parametrize(
    ("service", "methods"),
    [
        pytest.param(
            "tensorflow.serving.PredictionService",
            {"Classify", "Regress", "Predict", "MultiInference", "GetModelMetadata"},
            id="prediction",
        ),
        pytest.param("tensorflow.serving.ModelService", {"GetModelStatus", "HandleReloadConfigRequest"}, id="models"),
    ],
)
def test_a_client_can_build_every_message_from_the_answer(address: str, service: str, methods: set[str]) -> None:
    files = ask(address, file_containing_symbol=service).file_descriptor_response.file_descriptor_proto
    parsed = {file.name: file for file in map(FileDescriptorProto.FromString, files)}
    pool = DescriptorPool()

    def add(name: str) -> None:
        for needed in parsed[name].dependency:
            add(needed)
        pool.Add(parsed[name])

    for name in parsed:
        add(name)
    found = pool.FindServiceByName(service)
    assert set(found.methods_by_name) == methods
    for method in found.methods:
        assert method.input_type.fields
        assert not method.server_streaming


def test_an_unknown_symbol_is_not_found(address: str) -> None:
    assert ask(address, file_containing_symbol="no.such.Service").error_response.error_code == 5
