"""Asks a model server over gRPC, the way a client in any language would."""

import time
from collections.abc import Mapping
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    input_pb2,
    model_management_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)
from tensorflow_serving.config import model_server_config_pb2

# Guards against a hang.
CALL_SECONDS = 60
STATE_SECONDS = 60


class Client:
    """One channel; close it with `close`."""

    def __init__(self, address: str) -> None:
        # A local pool: no test shares a connection with another. Without the limit answers stop at 4 MiB.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        self.channel = grpc.insecure_channel(address, options=options)

    def call(self, method: str, request: Any, response_type: Any) -> grpc.Future:
        """Starts a call of `Service/Method`."""
        return self._method(method, request, response_type).future(request, timeout=CALL_SECONDS)

    def answer(self, method: str, request: Any, response_type: Any) -> Any:
        """Calls `Service/Method`. Costs half of what it costs to start a call and to wait for it."""
        return self._method(method, request, response_type)(request, timeout=CALL_SECONDS)

    def _method(self, method: str, request: Any, response_type: Any) -> grpc.UnaryUnaryMultiCallable:
        return self.channel.unary_unary(
            f"/tensorflow.serving.{method}", type(request).SerializeToString, response_type.FromString
        )

    def predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        """PredictionService.Predict."""
        return self.answer("PredictionService/Predict", request, predict_pb2.PredictResponse)

    def start_predict(self, request: predict_pb2.PredictRequest) -> grpc.Future:
        """PredictionService.Predict, not waited for."""
        return self.call("PredictionService/Predict", request, predict_pb2.PredictResponse)

    def classify(self, request: classification_pb2.ClassificationRequest) -> classification_pb2.ClassificationResponse:
        """PredictionService.Classify."""
        return self.answer("PredictionService/Classify", request, classification_pb2.ClassificationResponse)

    def regress(self, request: regression_pb2.RegressionRequest) -> regression_pb2.RegressionResponse:
        """PredictionService.Regress."""
        return self.answer("PredictionService/Regress", request, regression_pb2.RegressionResponse)

    def multi_inference(self, request: inference_pb2.MultiInferenceRequest) -> inference_pb2.MultiInferenceResponse:
        """PredictionService.MultiInference."""
        return self.answer("PredictionService/MultiInference", request, inference_pb2.MultiInferenceResponse)

    def ask(self, name: str, x: float) -> tuple[int, float]:
        """The version that answered `serving_default`, and its y."""
        response = self.predict(predict_request({"x": np.float32([x])}, name=name))
        return response.model_spec.version.value, response.outputs["y"].float_val[0]

    def metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """PredictionService.GetModelMetadata."""
        response_type = get_model_metadata_pb2.GetModelMetadataResponse
        return self.answer("PredictionService/GetModelMetadata", request, response_type)

    def status(self, **spec: Any) -> list[get_model_status_pb2.ModelVersionStatus]:
        """ModelService.GetModelStatus; `spec` as in `model_spec`."""
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=model_spec(**spec))
        response_type = get_model_status_pb2.GetModelStatusResponse
        return list(self.answer("ModelService/GetModelStatus", request, response_type).model_version_status)

    def start_reload(self, config: model_server_config_pb2.ModelServerConfig, *metric_names: str) -> grpc.Future:
        """ModelService.HandleReloadConfigRequest, not waited for."""
        request = model_management_pb2.ReloadConfigRequest(config=config, metric_names=metric_names)
        return self.call("ModelService/HandleReloadConfigRequest", request, model_management_pb2.ReloadConfigResponse)

    def states(self, name: str) -> dict[int, str]:
        """State by version; empty while the model is unknown."""
        try:
            seen = self.status(name=name)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return {}
        return {one.version: get_model_status_pb2.ModelVersionStatus.State.Name(one.state) for one in seen}

    def wait_for(self, name: str, **states: str) -> dict[int, str]:
        """Polls until these versions (`v2="AVAILABLE"`) are in these states; returns all."""
        wanted = {int(version.removeprefix("v")): state for version, state in states.items()}
        deadline = time.monotonic() + STATE_SECONDS
        while time.monotonic() < deadline:
            seen = self.states(name)
            if wanted.items() <= seen.items():
                return seen
            time.sleep(0.02)
        raise AssertionError(f"wanted {wanted}, still {seen}")

    def close(self) -> None:
        """Ends the connection."""
        self.channel.close()


def model_spec(version: int | None = None, **fields: Any) -> model_pb2.ModelSpec:
    """A ModelSpec with a plain number for the version."""
    spec = model_pb2.ModelSpec(**fields)
    if version is not None:
        spec.version.value = version
    return spec


def predict_request(
    inputs: Mapping[str, Any], output_filter: tuple[str, ...] = (), **spec: Any
) -> predict_pb2.PredictRequest:
    """A PredictRequest; inputs are TensorProtos or what NumPy can take, `spec` as in `model_spec`."""
    request = predict_pb2.PredictRequest(output_filter=output_filter)
    request.model_spec.CopyFrom(model_spec(**{"name": "toy"} | spec))
    for alias, value in inputs.items():
        proto = value if isinstance(value, tensor_pb2.TensorProto) else tf.make_tensor_proto(value)
        request.inputs[alias].CopyFrom(proto)
    return request


def example(**features: Any) -> tf.train.Example:
    """A tf.Example; a feature is a bytes, a float or an int."""
    made = tf.train.Example()
    for name, value in features.items():
        kind = {bytes: "bytes_list", float: "float_list", int: "int64_list"}[type(value)]
        getattr(made.features.feature[name], kind).value.append(value)
    return made


def examples(*x: float) -> input_pb2.Input:
    """An example list, one example with feature `x` for each number."""
    return input_pb2.Input(example_list=input_pb2.ExampleList(examples=[example(x=value) for value in x]))


def floats(*values: float, sizes: tuple[int, ...] = (), content: bytes = b"", **fields: Any) -> tensor_pb2.TensorProto:
    """A float tensor as sent, right or wrong."""
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=values, tensor_content=content)
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    for name, value in fields.items():
        setattr(proto, name, value)
    return proto
