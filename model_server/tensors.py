"""TensorProto to NumPy array and back, by the rules of the C++ `Tensor::FromProto` and `AsProtoField`.

Value fields are moved as packed bytes or whole lists, never element by element in Python where it can be avoided.
"""

import math
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from model_server.errors import StatusError, invalid_argument, unimplemented


@dataclass(frozen=True)
class _Kind:
    """How a dtype travels: `wire` is the NumPy type of the value field's elements, `parts` of them make one value."""

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
_TYPES = {kind.dtype: number for number, kind in _KINDS.items()}
# Fields whose packed form is the array's own memory, with their key on the wire (number << 3 | 2).
_PACKED_KEYS = {"float_val": b"\x2a", "double_val": b"\x32", "scomplex_val": b"\x4a", "dcomplex_val": b"\x62"}


def decode(proto: tensor_pb2.TensorProto, alias: str) -> Any:
    """The value as an array; fewer elements than the shape has repeat the last one, none are zeros, surplus is dropped.

    Raises:
        StatusError: INVALID_ARGUMENT `tensor parsing error: <alias>`.
    """
    try:
        shape = [dim.size for dim in proto.tensor_shape.dim]
        if any(size < 0 for size in shape):
            raise ValueError(shape)
        if proto.dtype == _STRING and not proto.tensor_content:
            return _decode_strings(proto, shape)
        kind = _KINDS.get(proto.dtype)
        if kind is None or proto.dtype == _STRING:
            # Rare: quantised types, strings as tensor_content. The runtime's own decoder, through an eager op.
            return tf.io.parse_tensor(proto.SerializeToString(), proto.dtype).numpy()
        return _decode_numbers(proto, shape, kind)
    except (ValueError, TypeError, MemoryError, OverflowError, tf.errors.OpError):
        raise invalid_argument(f"tensor parsing error: {alias}") from None


def _decode_strings(proto: tensor_pb2.TensorProto, shape: list[int]) -> np.ndarray:
    count = math.prod(shape)
    values = list(proto.string_val[:count])
    if len(values) < count:
        values += [values[-1] if values else b""] * (count - len(values))
    array = np.empty(count, dtype=object)
    array[:] = values
    return array.reshape(shape)


def _decode_numbers(proto: tensor_pb2.TensorProto, shape: list[int], kind: _Kind) -> np.ndarray:
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
    if kind.field in _PACKED_KEYS:
        # A message with nothing but this field ends with the packed values: no Python object per element.
        packed = tensor_pb2.TensorProto(**{kind.field: field}).SerializeToString()
        values = np.frombuffer(packed, kind.wire, offset=len(packed) - len(field) * kind.wire.itemsize)
        return values[: len(values) // kind.parts * kind.parts]
    if kind.field in ("int_val", "half_val"):
        # Values beyond a narrow type wrap, as in C++.
        return np.fromiter(field, np.int32, len(field)).astype(kind.wire)
    return np.fromiter(field, kind.wire, len(field))


def encode(value: Any, proto: tensor_pb2.TensorProto, as_content: bool) -> None:
    """Fills an empty message from a value that a session returned: typed value field, or `tensor_content`.

    Strings stay in `string_val` either way.

    Raises:
        StatusError: UNIMPLEMENTED, a dtype that has no place here.
    """
    array = np.asarray(value, dtype=object) if isinstance(value, bytes) else np.asarray(value)
    dims = proto.tensor_shape.dim
    proto.tensor_shape.SetInParent()
    for size in array.shape:
        dims.add().size = size
    if array.dtype == object:
        proto.dtype = _STRING
        proto.string_val.extend(array.ravel().tolist())
        return
    number = _TYPES.get(array.dtype)
    if number is None:
        raise _no_place_for(array)
    proto.dtype = number
    kind = _KINDS[number]
    if as_content:
        proto.tensor_content = array.tobytes()
    elif kind.field in _PACKED_KEYS:
        content = array.tobytes()
        proto.MergeFromString(_PACKED_KEYS[kind.field] + _varint(len(content)) + content)
    else:
        getattr(proto, kind.field).extend(array.ravel().view(kind.wire).tolist())


def _no_place_for(array: np.ndarray) -> StatusError:
    return unimplemented(f"Output of type {array.dtype} cannot be serialised")


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)
