"""PredictionService.Predict: which version answers, what is checked in which order."""

from typing import Any

import grpc
import numpy as np
import pytest
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import predict_pb2

from tests.model_server.client import Client, floats, predict_request

X = {"x": np.float32([1, 4])}
A_BILLION = 10**9


def refusal(client: Client, request: predict_pb2.PredictRequest) -> tuple[str, str]:
    """Code and message of the error that the server answers."""
    with pytest.raises(grpc.RpcError) as caught:
        client.predict(request)
    return caught.value.code().name, caught.value.details()


@pytest.mark.parametrize(
    ("spec", "version"),
    [
        pytest.param({}, 2, id="no version is the highest"),
        pytest.param({"version": 1}, 1, id="version"),
        pytest.param({"version_label": "stable"}, 1, id="label"),
        pytest.param({"version_label": "canary"}, 2, id="other label"),
    ],
)
def test_the_spec_chooses_the_version_and_the_answer_names_it(
    client: Client, spec: dict[str, Any], version: int
) -> None:
    response = client.predict(predict_request(X, **spec))
    assert list(response.outputs["y"].float_val) == [0.5 + version, 2 + version]
    assert response.model_spec.name == "toy"
    assert response.model_spec.version.value == version
    assert response.model_spec.signature_name == "serving_default"
    assert not response.model_spec.version_label


def test_the_answer_uses_typed_fields_with_a_shape(client: Client) -> None:
    response = client.predict(predict_request({"p": np.float32([[1, 2]]), "q": np.int64([-4])}, signature_name="two"))
    assert list(response.outputs["sum"].float_val) == [3]
    assert list(response.outputs["twice"].int64_val) == [-8]
    assert list(response.outputs["positive"].bool_val) == [False]
    for output in response.outputs.values():
        assert [dim.size for dim in output.tensor_shape.dim] == [1]
        assert output.tensor_content == b""
    assert response.model_spec.signature_name == "two"


MISSING = "Inputs expected to be in the request {y}, or default input alias set: "


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        pytest.param(predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec", id="no spec"),
        pytest.param(
            predict_request(X, name=""), "INVALID_ARGUMENT", "ModelSpec has no name specified.", id="no model name"
        ),
        pytest.param(
            predict_request(X, name="ghost"),
            "NOT_FOUND",
            "Servable not found for request: Latest(ghost)",
            id="unknown model",
        ),
        pytest.param(
            predict_request(X, version=9),
            "NOT_FOUND",
            "Servable not found for request: Specific(toy, 9)",
            id="unknown version",
        ),
        pytest.param(
            predict_request(X, version=0),
            "NOT_FOUND",
            "Servable not found for request: Specific(toy, 0)",
            id="version 0 is a version",
        ),
        pytest.param(
            predict_request(X, version_label="nope"),
            "INVALID_ARGUMENT",
            "Unrecognized servable version label: nope",
            id="unknown label",
        ),
        pytest.param(
            predict_request(X, name="ghost", version_label="nope"),
            "INVALID_ARGUMENT",
            "Unrecognized servable version label: nope",
            id="unknown label of an unknown model",
        ),
        pytest.param(
            predict_request({"y": X["x"]}, signature_name="nope"),
            "FAILED_PRECONDITION",
            'Serving signature key "nope" not found.',
            id="the signature is checked before the inputs",
        ),
        pytest.param(
            predict_request({**X, "extra": X["x"]}),
            "INVALID_ARGUMENT",
            "input size does not match signature: 2!=1 len({extra,x}) != len({x}). "
            "Sent extra: {extra}. Missing but required: {}.",
            id="one input too many",
        ),
        pytest.param(
            predict_request({"p": np.float32([[1]])}, signature_name="two"),
            "INVALID_ARGUMENT",
            "input size does not match signature: 1!=2 len({p}) != len({p,q}). "
            "Sent extra: {}. Missing but required: {q}.",
            id="one input too few",
        ),
        pytest.param(
            predict_request({"y": X["x"]}),
            "INVALID_ARGUMENT",
            "Signature input alias: x(feed name: serving_default_x:0) not found in request and no default value "
            "provided. " + MISSING,
            id="wrong input name",
        ),
        pytest.param(
            predict_request({"x": floats(1, sizes=(1,), dtype=types_pb2.DT_INVALID)}),
            "INVALID_ARGUMENT",
            "tensor parsing error: x",
            id="no dtype",
        ),
        pytest.param(
            predict_request({"x": floats(1, sizes=(-1,))}),
            "INVALID_ARGUMENT",
            "tensor parsing error: x",
            id="negative dimension",
        ),
        pytest.param(
            predict_request({"x": floats(sizes=(2,), content=b"abcd")}),
            "INVALID_ARGUMENT",
            "tensor parsing error: x",
            id="tensor_content too short",
        ),
        pytest.param(
            predict_request({"x": floats(sizes=(A_BILLION,) * 3)}),
            "INVALID_ARGUMENT",
            "tensor parsing error: x",
            id="more elements than a number can count",
        ),
        pytest.param(
            predict_request({"x": floats(1, sizes=(1,), dtype=types_pb2.DT_INVALID)}, output_filter=("nope",)),
            "INVALID_ARGUMENT",
            "tensor parsing error: x",
            id="inputs are checked before the filter",
        ),
        pytest.param(
            predict_request({"text": [b"a"]}, ("nope",), signature_name="text"),
            "INVALID_ARGUMENT",
            "output tensor alias not found in signature: nope Outputs expected to be in the set {length,upper}.",
            id="unknown output",
        ),
        pytest.param(
            predict_request({"text": [b"a"]}, ("upper", "upper"), signature_name="text"),
            "INVALID_ARGUMENT",
            "duplicate output tensor alias: upper",
            id="the same output twice",
        ),
        pytest.param(
            predict_request({"x": np.int64([1])}),
            "INVALID_ARGUMENT",
            "Expects arg[0] to be float but int64 is provided",
            id="int64 for float",
        ),
        pytest.param(
            predict_request({"x": [b"1"]}),
            "INVALID_ARGUMENT",
            "Expects arg[0] to be float but string is provided",
            id="string for float",
        ),
        pytest.param(
            predict_request({"p": np.float32([[1]]), "q": np.float32([1])}, signature_name="two"),
            "INVALID_ARGUMENT",
            "Expects arg[1] to be int64 but float is provided",
            id="arguments are counted by tensor name",
        ),
    ],
)
def test_refuses(client: Client, request_: predict_pb2.PredictRequest, code: str, message: str) -> None:
    assert refusal(client, request_) == (code, message)


def test_an_op_error_is_the_runtimes_own(client: Client) -> None:
    code, message = refusal(client, predict_request({"x": np.float32([11])}, signature_name="boom"))
    assert code == "INVALID_ARGUMENT"
    assert message.startswith("assertion failed: [x must stay below ten] ")
    assert "[[{{" in message


def test_shapes_are_the_ops_affair(client: Client) -> None:
    code, message = refusal(client, predict_request({"a": np.zeros([2, 4], np.float32)}, signature_name="project"))
    assert (code, message.partition("\n")[0]) == (
        "INVALID_ARGUMENT",
        "Matrix size-incompatible: In[0]: [2,4], In[1]: [3,2]",
    )


def test_a_long_message_is_cut_at_1024_bytes(client: Client) -> None:
    _, message = refusal(client, predict_request(X, signature_name="é" * 1000))
    assert message.endswith("...TRUNCATED")
    # A two-byte letter may be split by the cut.
    assert 1023 <= len(message.removesuffix("...TRUNCATED").rstrip("�").encode()) <= 1024
