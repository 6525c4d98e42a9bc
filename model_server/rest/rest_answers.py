"""Inference results as JSON text, laid out as the stock server lays them out."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow_serving.apis import classification_pb2, regression_pb2

from model_server.errors import invalid_argument
from model_server.rest.json_writer import array, decimals, json_object, quote

# String outputs whose name ends so are bytes.
BYTES_SUFFIX = "_bytes"
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_INTEGERS = tuple(map(np.dtype, (np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64)))


def rows(outputs: Mapping[str, Any]) -> str:
    """The answer to a request by row: a list of rows, or of objects if there are several outputs."""
    arrays = {name: _as_array(value) for name, value in outputs.items()}
    size = _batch_size(arrays)
    # One output's rows are in the root and the list; several outputs' are in an object more.
    depth = 2 if len(arrays) == 1 else 3
    columns = [_row_texts(name, value, depth) for name, value in arrays.items()]
    if len(columns) == 1:
        return _list_in_root("predictions", columns[0])
    names = list(arrays)
    items = [json_object(names, [column[row] for column in columns], 2) for row in range(size)]
    return json_object(["predictions"], [array(items, 1, on_one_line=False)], 0)


def columns(outputs: Mapping[str, Any]) -> str:
    """The answer to a request by column: the value of the output, or an object if there are several."""
    arrays = {name: _as_array(value) for name, value in outputs.items()}
    if not arrays:
        raise _nothing("empty tensor map")
    depth = 1 if len(arrays) == 1 else 2
    texts = [
        _nest(_texts(name, value, depth + value.ndim), value.shape, depth, on_one_line=False)
        for name, value in arrays.items()
    ]
    return json_object(["outputs"], [texts[0] if len(texts) == 1 else json_object(list(arrays), texts, 1)], 0)


def classifications(result: classification_pb2.ClassificationResult) -> str:
    """A list of [label, score] pairs for each example."""
    if not result.classifications:
        raise _nothing("empty ClassificationResults")
    items = []
    for one in result.classifications:
        scores = decimals(np.array([each.score for each in one.classes], np.float32))
        pairs = [f"[{quote(each.label)}, {score}]" for each, score in zip(one.classes, scores, strict=True)]
        items.append(array(pairs, 2, on_one_line=True))
    return _list_in_root("results", items)


def regressions(result: regression_pb2.RegressionResult) -> str:
    """A number for each example."""
    if not result.regressions:
        raise _nothing("empty RegressionResults")
    texts = decimals(np.array([each.value for each in result.regressions], np.float32))
    return json_object(["results"], [array(texts, 1, on_one_line=True)], 0)


def _nothing(what: str) -> Exception:
    return invalid_argument(f"Cannot convert {what} to JSON")


def _list_in_root(name: str, items: list[str]) -> str:
    # The stock server writes the elements on one line, but closes the list on a line of its own.
    return json_object([name], ["[" + ", ".join(items) + ("\n    ]" if items else "]")], 0)


def _as_array(value: Any) -> np.ndarray:
    return np.asarray(value, dtype=object) if isinstance(value, bytes) else np.asarray(value)


def _batch_size(arrays: Mapping[str, np.ndarray]) -> int:
    if not arrays:
        raise _nothing("empty tensor map")
    size = -1
    for name, value in arrays.items():
        if not value.ndim:
            raise invalid_argument(f"Tensor name: {name} has no shape information ")
        if size not in (-1, value.shape[0]):
            raise invalid_argument(
                f"Tensor name: {name} has inconsistent batch size: {value.shape[0]} expecting: {size}"
            )
        size = value.shape[0]
    return size


def _row_texts(name: str, value: np.ndarray, depth: int) -> list[str]:
    shape = value.shape[1:]
    texts = _texts(name, value, depth + len(shape))
    if not shape:
        return texts
    width = math.prod(shape)
    return [
        _nest(texts[row * width : (row + 1) * width], shape, depth, on_one_line=True) for row in range(value.shape[0])
    ]


def _nest(texts: list[str], shape: tuple[int, ...], depth: int, on_one_line: bool) -> str:
    for axis in reversed(range(len(shape))):
        width = shape[axis]
        texts = [
            array(texts[at * width : (at + 1) * width], depth + axis, on_one_line)
            for at in range(math.prod(shape[:axis]))
        ]
    return texts[0]


def _texts(name: str, value: np.ndarray, depth: int) -> list[str]:
    """The elements in order; `depth` counts the containers around each."""
    if value.dtype in _FLOATS:
        return decimals(value)
    if value.dtype in _INTEGERS:
        return list(map(str, value.ravel().tolist()))
    if value.dtype == np.bool_:
        return ["true" if each else "false" for each in value.ravel().tolist()]
    if value.dtype == object:
        strings = value.ravel().tolist()
        if name.endswith(BYTES_SUFFIX):
            return [json_object(["b64"], [f'"{base64.b64encode(each).decode()}"'], depth) for each in strings]
        return [quote(each.decode(errors="surrogateescape")) for each in strings]
    if not value.size:
        return []
    raise invalid_argument(f"Failed to write JSON value for tensor type: {_dtype_name(value.dtype)}")


def _dtype_name(dtype: np.dtype[Any]) -> str:
    return {"float16": "half"}.get(dtype.name, dtype.name)
