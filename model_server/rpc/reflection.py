"""The reflection service, v1alpha: which services there are and what their messages look like (`grpcurl list`)."""

from collections.abc import Mapping

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import Message
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

PACKAGE = "tensorflow.serving"
_Methods = Mapping[str, tuple[type[Message], type[Message]]]
# By file of the official interface: the service and the request and response of its methods. The generated modules
# of these two files cannot be imported with protobuf 7.
SERVICES: Mapping[str, tuple[str, _Methods]] = {
    "tensorflow_serving/apis/prediction_service.proto": (
        "PredictionService",
        {
            "Classify": (classification_pb2.ClassificationRequest, classification_pb2.ClassificationResponse),
            "Regress": (regression_pb2.RegressionRequest, regression_pb2.RegressionResponse),
            "Predict": (predict_pb2.PredictRequest, predict_pb2.PredictResponse),
            "MultiInference": (inference_pb2.MultiInferenceRequest, inference_pb2.MultiInferenceResponse),
            "GetModelMetadata": (
                get_model_metadata_pb2.GetModelMetadataRequest,
                get_model_metadata_pb2.GetModelMetadataResponse,
            ),
        },
    ),
    "tensorflow_serving/apis/model_service.proto": (
        "ModelService",
        {
            "GetModelStatus": (get_model_status_pb2.GetModelStatusRequest, get_model_status_pb2.GetModelStatusResponse),
            "HandleReloadConfigRequest": (
                model_management_pb2.ReloadConfigRequest,
                model_management_pb2.ReloadConfigResponse,
            ),
        },
    ),
}


def enable(server: grpc.Server, others: tuple[str, ...]) -> None:
    """Adds the service to a server that is not started yet; `others` are listed beside the model server's own two."""
    pool = descriptor_pool.Default()
    for path, (service, methods) in SERVICES.items():
        pool.AddSerializedFile(_file(path, service, methods).SerializeToString())
    own = [f"{PACKAGE}.{service}" for service, _ in SERVICES.values()]
    reflection.enable_server_reflection([*own, *others, reflection.SERVICE_NAME], server)


def _file(path: str, service: str, methods: _Methods) -> FileDescriptorProto:
    files = {message.DESCRIPTOR.file.name for pair in methods.values() for message in pair}
    file = FileDescriptorProto(name=path, package=PACKAGE, syntax="proto3", dependency=sorted(files))
    # As in the official file: the pool takes a second definition of a file only if it is the same.
    file.options.cc_enable_arenas = True
    descriptor = file.service.add(name=service)
    for name, pair in methods.items():
        request, response = (f".{message.DESCRIPTOR.full_name}" for message in pair)
        descriptor.method.add(name=name, input_type=request, output_type=response)
    return file
