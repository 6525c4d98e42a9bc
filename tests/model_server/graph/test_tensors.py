"""How values travel in a TensorProto, there and back."""

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tests.model_server.client import Client, floats, predict_request
from tests.model_server.toy import DTYPES


@pytest.mark.parametrize(
    ("sent", "received", "sizes"),
    [
        pytest.param(floats(1), [2.5], [], id="a scalar where a vector is declared"),
        pytest.param(floats(1, 4, sizes=(1, 2)), [2.5, 4], [1, 2], id="a matrix where a vector is declared"),
        pytest.param(floats(sizes=(3,)), [2, 2, 2], [3], id="no values are zeros"),
        pytest.param(floats(1, 4, sizes=(4,)), [2.5, 4, 4, 4], [4], id="the last value repeats"),
        pytest.param(floats(1, 4, 6, sizes=(2,)), [2.5, 4], [2], id="surplus values are dropped"),
        pytest.param(floats(sizes=(0,)), [], [0], id="an empty batch"),
        pytest.param(floats(sizes=(2,), content=np.float32([1, 4]).tobytes()), [2.5, 4], [2], id="tensor_content"),
        pytest.param(
            floats(9, sizes=(1,), content=np.float32([1]).tobytes()), [2.5], [1], id="tensor_content beats values"
        ),
    ],
)
def test_decodes_what_is_sent(
    client: Client, sent: tensor_pb2.TensorProto, received: list[float], sizes: list[int]
) -> None:
    output = client.predict(predict_request({"x": sent})).outputs["y"]
    assert list(output.float_val) == received
    assert [dim.size for dim in output.tensor_shape.dim] == sizes


def values_of(dtype: str) -> np.ndarray:
    """Three values with the extremes of the type."""
    if dtype == "string":
        return np.array([b"", "é".encode(), b"\x00\xff"], dtype=object)
    if dtype == "bool":
        return np.array([True, False, True])
    if dtype.startswith("complex"):
        return np.array([1 + 2j, -3.5j, 0], dtype)
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
    limits = np.iinfo(kind) if np.issubdtype(kind, np.integer) else ml_dtypes.finfo(kind)
    return np.array([limits.min, 1, limits.max], kind)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("as_content", [False, True], ids=["typed field", "tensor_content"])
def test_every_dtype_comes_back_as_sent_in_its_typed_field(client: Client, dtype: str, as_content: bool) -> None:
    sent = values_of(dtype)
    proto = tf.make_tensor_proto(sent)
    if as_content and dtype != "string":
        proto = tensor_pb2.TensorProto(
            dtype=proto.dtype, tensor_shape=proto.tensor_shape, tensor_content=sent.tobytes()
        )
    elif dtype != "string":
        proto = in_typed_field(sent)
    answer = client.predict(predict_request({"value": proto}, signature_name=dtype)).outputs["same"]
    assert answer.tensor_content == b""
    assert answer.dtype == proto.dtype
    assert tf.make_ndarray(answer).tolist() == sent.tolist()


def in_typed_field(values: np.ndarray) -> tensor_pb2.TensorProto:
    """As most clients send numbers: `tf.make_tensor_proto` fills the typed fields only for single values."""
    proto = tf.make_tensor_proto(values[0])
    proto.tensor_shape.dim.add(size=len(values))
    for value in values[1:]:
        proto.MergeFrom(tf.make_tensor_proto(value))
    return proto


def test_a_message_beyond_grpcs_usual_limit_passes(client: Client) -> None:
    many = np.arange(3_000_000, dtype=np.float32)
    output = client.predict(predict_request({"x": many})).outputs["y"]
    assert np.array_equal(np.fromiter(output.float_val, np.float32), many / 2 + 2)
