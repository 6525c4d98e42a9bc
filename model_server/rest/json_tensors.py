"""JSON values to arrays, by the stock server's rules for each dtype.

What is regular becomes an array in a few passes in C. Only what is not is walked element by element, in the stock
server's order, to find its first complaint.
"""

import binascii
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from tensorflow.core.framework import tensor_pb2, types_pb2

from model_server.errors import StatusError, invalid_argument, unimplemented
from model_server.graph.tensors import decode
from model_server.inference.examples import shape_text
from model_server.rest.json_reader import Members
from model_server.rest.json_writer import as_double, is_double, type_name, value_text

# TensorFlow's limit for the rank of a tensor.
MAX_RANK = 254
BASE64_KEY = "b64"
_BASE64 = re.compile(rb"([A-Za-z0-9+/]*)([=.]*)")


@dataclass(frozen=True)
class _Kind:
    """How a dtype is read.

    Attributes:
        types: Python types of the values that need no closer look.
        convert: a flat list of such values to an array; ValueError or OverflowError where one does not fit.
        accepts: whether a JSON scalar belongs to this dtype.
    """

    types: frozenset[type]
    convert: Callable[[list[Any]], np.ndarray]
    accepts: Callable[[Any], bool]


def _floats(dtype: type[np.floating[Any]]) -> _Kind:
    def convert(values: list[Any]) -> np.ndarray:
        # By way of a double, as RapidJSON does; beyond the range of a float is infinite.
        with np.errstate(over="ignore"):
            return np.array(values, np.float64).astype(dtype)

    return _Kind(frozenset((int, float)), convert, lambda value: type(value) in (int, float))


def _integers(dtype: type[np.integer[Any]], checked: type[np.integer[Any]] | None = None) -> _Kind:
    """`checked`: a wider type. Numbers may have its range, and wrap where they do not fit the dtype."""
    limits = np.iinfo(checked or dtype)
    lowest, highest = int(limits.min), int(limits.max)
    return _Kind(
        frozenset((int,)),
        lambda values: np.array(values, limits.dtype).astype(dtype, copy=False),
        lambda value: type(value) is int and lowest <= value <= highest,
    )


def _strings(values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = [_encode(value) if type(value) is str else decode_base64(value) for value in values]
    return array


def _encode(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


_KINDS: Mapping[int, _Kind] = {
    types_pb2.DT_FLOAT: _floats(np.float32),
    types_pb2.DT_DOUBLE: _floats(np.float64),
    types_pb2.DT_INT64: _integers(np.int64),
    types_pb2.DT_INT32: _integers(np.int32),
    types_pb2.DT_INT16: _integers(np.int16, np.int32),
    types_pb2.DT_INT8: _integers(np.int8, np.int32),
    types_pb2.DT_UINT8: _integers(np.uint8, np.int32),
    types_pb2.DT_UINT32: _integers(np.uint32),
    types_pb2.DT_UINT64: _integers(np.uint64),
    types_pb2.DT_BOOL: _Kind(frozenset((bool,)), lambda values: np.array(values, np.bool_), lambda v: type(v) is bool),
    types_pb2.DT_STRING: _Kind(frozenset((str, dict)), _strings, lambda value: type(value) is str),
}


def dtype_name(dtype: int) -> str:
    """`float`, `int64`, `string`: as TensorFlow prints a DataType."""
    return str(types_pb2.DataType.Name(dtype)).removeprefix("DT_").lower()


def is_base64(value: Any) -> bool:
    """Whether this is `{"b64": "<text>"}`: bytes."""
    if not isinstance(value, dict) or isinstance(value, Members) or len(value) != 1:
        return False
    return isinstance(value.get(BASE64_KEY), str)


def decode_base64(value: Any) -> bytes:
    """The bytes of such an object. Blanks are ignored, padding may be missing."""
    if not is_base64(value):
        raise invalid_argument(f"JSON Value: {value_text(value)} not formatted correctly for base64 data")
    text = b"".join(_encode(value[BASE64_KEY]).split())
    found = _BASE64.fullmatch(text)
    missing = -len(found[1]) % 4 if found else 3
    if found is None or missing == 3 or len(found[2]) not in (0, missing):
        raise invalid_argument("Unable to base64 decode")
    return binascii.a2b_base64(found[1] + b"=" * missing)


def read(value: Any, dtype: int, alias: str) -> np.ndarray:
    """The array that nested lists of equal length, or one value, stand for."""
    array = read_regular(value, dtype)
    if array is None:
        gathered = Gathered(dtype, alias)
        gathered.add(value)
        array = gathered.array(())
    return array


def read_regular(value: Any, dtype: int) -> np.ndarray | None:
    """Like `read`, but None where the value is irregular or may be wrong."""
    kind = _KINDS.get(dtype)
    if kind is None:
        return None
    shape: list[int] = []
    flat = [value]
    while flat and type(flat[0]) is list:
        if set(map(type, flat)) != {list}:
            return None
        sizes = set(map(len, flat))
        if len(sizes) > 1:
            return None
        shape += sizes
        flat = list(chain.from_iterable(flat))
    if not kind.types.issuperset(map(type, flat)):
        return None
    try:
        return kind.convert(flat).reshape(shape)
    except (OverflowError, ValueError, StatusError):
        return None


class Gathered:
    """One input's values, collected item by item. This is slow, but finds the fault that the stock server names."""

    def __init__(self, dtype: int, alias: str) -> None:
        self._dtype = dtype
        self._alias = alias
        self._kind = _KINDS.get(dtype)
        self._values: list[Any] = []
        self._size = 0
        self._shape: tuple[int, ...] | None = None

    def add(self, value: Any) -> None:
        """Adds an item, which must have the shape of those before."""
        shape = _shape(value)
        if len(shape) > MAX_RANK:
            # It is the tensor as a whole that is refused, not this item.
            self._shape = shape
            return
        before = len(self._values)
        self._fill(value, 0, shape)
        size = len(self._values) - before
        if self._shape is None:
            self._size, self._shape = size, shape
        elif size != self._size:
            raise invalid_argument(f"Expecting tensor size: {self._size} but got: {size}")
        elif shape != self._shape:
            raise invalid_argument(f"Expecting shape {shape_text(self._shape)} but got: {shape_text(shape)}")

    def array(self, batch: tuple[int, ...]) -> np.ndarray:
        """The items stacked; `batch` is the shape to put in front of theirs. Surplus values are dropped."""
        shape = batch + (self._shape or ())
        try:
            if self._kind is None:
                # No JSON value is of such a dtype, but a list of none is.
                sizes = {"dim": [{"size": size} for size in shape]}
                none: np.ndarray = decode(tensor_pb2.TensorProto(dtype=self._dtype, tensor_shape=sizes), self._alias)
                return none
            return self._kind.convert(self._values)[: math.prod(shape)].reshape(shape)
        except ValueError:
            raise invalid_argument(f"tensor parsing error: {self._alias}") from None

    def _fill(self, value: Any, level: int, shape: tuple[int, ...]) -> None:
        rank = len(shape)
        if not isinstance(value, list):
            if level != rank:
                raise invalid_argument(
                    f"JSON Value: {value_text(value)} found at incorrect level: {level + 1} in the JSON DOM. "
                    f"Expected at level: {rank}"
                )
            self._values.append(self._checked(value))
            return
        if level >= rank:
            raise invalid_argument(f"Encountered list at unexpected level: {level} expected < {rank}")
        if len(value) != shape[level]:
            raise invalid_argument(
                f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
            )
        for item in value:
            self._fill(item, level + 1, shape)

    def _checked(self, value: Any) -> Any:
        if isinstance(value, dict) and self._dtype == types_pb2.DT_STRING:
            decode_base64(value)
            return value
        if self._kind is None and not isinstance(value, dict):
            raise unimplemented(f"Conversion of JSON Value: {value_text(value)} to type: {dtype_name(self._dtype)}")
        if self._kind is None or not self._kind.accepts(value):
            raise invalid_argument(
                f"JSON Value: {value_text(value)} Type: {type_name(value)} is not of expected type: "
                f"{dtype_name(self._dtype)}"
            )
        return as_double(value) if is_double(value) else value


def _shape(value: Any) -> tuple[int, ...]:
    """The length of the first list at each depth, down to one level more than a tensor can have."""
    sizes: list[int] = []
    while isinstance(value, list) and len(sizes) <= MAX_RANK:
        sizes.append(len(value))
        if not value:
            break
        value = value[0]
    return tuple(sizes)
