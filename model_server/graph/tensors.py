"""TensorProto to NumPy array and back, by the rules of the C++ `Tensor::FromProto` and `AsProtoField`.

Value fields are moved as packed bytes or whole lists, never element by element in Python where it can be avoided.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ml_dtypes
import numpy as np
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.python.framework import importer, ops

from model_server.errors import StatusError, invalid_argument, unimplemented
from model_server.graph import wire
from model_server.graph.session import Session


@dataclass(frozen=True)
class _Kind:
    """How a dtype is sent: `wire` is the NumPy type of the value field's elements, `parts` of them make one value."""

    dtype: np.dtype[Any]
    field: str
    wire: np.dtype[Any]
    parts: int = 1


def _kind(dtype: Any, field: str, wire: Any = None, parts: int = 1) -> _Kind:
    return _Kind(np.dtype(dtype), field, np.dtype(wire or dtype), parts)


_STRING = types_pb2.DT_STRING
_KINDS = {
    types_pb2.DT_FLOAT: _kind(np.float32, "float_val"),
    types_pb2.DT_DOUBLE: _kind(np.float64, "double_val"),
    types_pb2.DT_COMPLEX64: _kind(np.complex64, "scomplex_val", np.float32, 2),
    types_pb2.DT_COMPLEX128: _kind(np.complex128, "dcomplex_val", np.float64, 2),
    types_pb2.DT_INT64: _kind(np.int64, "int64_val"),
    types_pb2.DT_UINT64: _kind(np.uint64, "uint64_val"),
    types_pb2.DT_UINT32: _kind(np.uint32, "uint32_val"),
    types_pb2.DT_BOOL: _kind(np.bool_, "bool_val"),
    types_pb2.DT_INT32: _kind(np.int32, "int_val"),
    types_pb2.DT_INT16: _kind(np.int16, "int_val"),
    types_pb2.DT_INT8: _kind(np.int8, "int_val"),
    types_pb2.DT_UINT16: _kind(np.uint16, "int_val"),
    types_pb2.DT_UINT8: _kind(np.uint8, "int_val"),
    # The 16-bit floats travel as their bits.
    types_pb2.DT_HALF: _kind(np.float16, "half_val", np.uint16),
    types_pb2.DT_BFLOAT16: _kind(ml_dtypes.bfloat16, "half_val", np.uint16),
}
# By NumPy's number of the dtype, which is looked up faster than the dtype.
_TYPES = {kind.dtype.num: number for number, kind in _KINDS.items()} | {np.dtype(object).num: _STRING}
_FIELDS = {field.name: field.number for field in tensor_pb2.TensorProto.DESCRIPTOR.fields}
_KEYS = {name: wire.key(number) for name, number in _FIELDS.items()}
_SIZE, _DIM = b"\x08", wire.key(2)
# Before the type's number.
_DTYPE = b"\x08"
# Fields whose packed form is the array's own memory; the numbers of all others are varints.
_PACKED = {"float_val", "double_val", "scomplex_val", "dcomplex_val"}
# Up to here whole numbers are written one by one, which for more takes longer than a message object.
_FEW = 64
# A shape of more bytes, which a client may make as long as it likes, is not kept in memory.
_SHORT = 64


def _shape(content: bytes) -> tuple[int, ...]:
    """The sizes in a serialised TensorShapeProto."""
    return tuple(dim.size for dim in tensor_shape_pb2.TensorShapeProto.FromString(content).dim)


# The same few shapes come again and again.
_remembered_shape = lru_cache(4096)(_shape)


def decode(proto: tensor_pb2.TensorProto, alias: str) -> Any:
    """The value as an array. Missing elements repeat the last one, or are zero if there is none; surplus is dropped."""
    try:
        content = proto.tensor_shape.SerializeToString()
        shape = _remembered_shape(content) if len(content) <= _SHORT else _shape(content)
        if shape and min(shape) < 0:
            raise ValueError(shape)
        if proto.dtype == _STRING and not proto.tensor_content:
            return _decode_strings(proto, shape)
        kind = _KINDS.get(proto.dtype)
        if kind is None or proto.dtype == _STRING:
            # Rare: quantised types, strings as tensor_content.
            session = _decoder(proto.dtype)
            content = np.array(proto.SerializeToString(), dtype=object)
            return session.run({session.output("content"): content}, [session.output("value")], None)[0]
        return _decode_numbers(proto, shape, kind)
    except (ValueError, TypeError, MemoryError, OverflowError, StatusError):
        raise invalid_argument(f"tensor parsing error: {alias}") from None


@lru_cache
def _decoder(dtype: int) -> Session:
    """The runtime's own decoder, as a graph of one op."""
    definition = GraphDef()
    given = definition.node.add(name="content", op="Placeholder")
    given.attr["dtype"].type = _STRING
    parsed = definition.node.add(name="value", op="ParseTensor", input=["content"])
    parsed.attr["out_type"].type = dtype
    with ops.Graph().as_default() as graph:
        importer.import_graph_def(definition, name="")
    return Session(graph, ConfigProto())


def _decode_strings(proto: tensor_pb2.TensorProto, shape: tuple[int, ...]) -> np.ndarray:
    count = math.prod(shape)
    values = proto.string_val[:count]
    if len(values) < count:
        values += [values[-1] if values else b""] * (count - len(values))
    array = np.array(values, dtype=object)
    return array if len(shape) == 1 else array.reshape(shape)


def _decode_numbers(proto: tensor_pb2.TensorProto, shape: tuple[int, ...], kind: _Kind) -> np.ndarray:
    count = math.prod(shape)
    if count == 0:
        return np.empty(shape, kind.dtype)
    if proto.tensor_content:
        if len(proto.tensor_content) != count * kind.dtype.itemsize:
            raise ValueError(shape)
        return np.frombuffer(proto.tensor_content, kind.dtype).reshape(shape)
    values = _values(proto, kind)[: count * kind.parts]
    found = values.view(kind.dtype)
    if len(found) == count:
        return found.reshape(shape)
    array = np.zeros(count, kind.dtype)
    if len(found):
        array[: len(found)] = found
        array[len(found) :] = found[-1]
    return array.reshape(shape)


def _values(proto: tensor_pb2.TensorProto, kind: _Kind) -> np.ndarray:
    field = getattr(proto, kind.field)
    if kind.field in _PACKED:
        # A message with nothing but this field ends with the packed values: no Python object per element.
        packed = _values_alone(kind.field, field)
        values = np.frombuffer(packed, kind.wire, offset=len(packed) - len(field) * kind.wire.itemsize)
        return values[: len(values) // kind.parts * kind.parts]
    if kind.field in ("int_val", "half_val"):
        # Values beyond a narrow type wrap, as in C++.
        return np.fromiter(field, np.int32, len(field)).astype(kind.wire)
    return np.fromiter(field, kind.wire, len(field))


def encode(value: Any, as_content: bool) -> bytes:
    """The serialised TensorProto of a value that a session returned: typed value field, or `tensor_content`.

    Strings stay in `string_val` either way.
    """
    if isinstance(value, np.ndarray):
        array = value
    else:
        array = np.asarray(value, dtype=object if isinstance(value, bytes) else None)
    number = _TYPES.get(array.dtype.num)
    if number is None:
        raise unimplemented(f"Output of type {array.dtype} cannot be serialised")
    shape = b"".join([wire.block(_DIM, _SIZE + wire.varint(size)) for size in array.shape])
    head = _DTYPE + wire.varint(number) + wire.block(_KEYS["tensor_shape"], shape)
    if number == _STRING:
        return head + _values_alone("string_val", array.ravel().tolist())
    kind = _KINDS[number]
    if as_content:
        return head + wire.block(_KEYS["tensor_content"], array.tobytes())
    if kind.field in _PACKED:
        return head + wire.block(_KEYS[kind.field], array.tobytes())
    values = array.ravel().view(kind.wire).tolist()
    if len(values) > _FEW:
        return head + _values_alone(kind.field, values)
    return head + wire.block(_KEYS[kind.field], b"".join([wire.varint(number) for number in values]))


def _values_alone(field: str, values: Any) -> bytes:
    """A serialised TensorProto with nothing but this field."""
    content: bytes = tensor_pb2.TensorProto(**{field: values}).SerializeToString()
    return content
