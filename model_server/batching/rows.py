"""Arrays that are joined to one batch and divided again, along the first dimension."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from model_server.errors import failed_precondition, invalid_argument

# What the runtime can pad.
MAX_PADDED_RANK = 6


def common_size(arrays: Sequence[np.ndarray]) -> int:
    """The number of rows, which all arrays must share."""
    if not arrays:
        raise invalid_argument("Batching Run() must have at least one input tensor")
    size = None
    for array in arrays:
        if not array.ndim:
            raise invalid_argument("Batching Run() input tensors must have at least one dimension")
        if size is not None and len(array) != size:
            raise invalid_argument("Batching Run() input tensors must have equal 0th-dimension size")
        size = len(array)
    return size or 0


def joined(name: str, arrays: Sequence[np.ndarray], padding: int, pads_variable_length: bool) -> np.ndarray:
    """One array of all rows and `padding` copies of the first row of the last array that has any.

    `name` is the tensor's, for the message. With `pads_variable_length`, smaller arrays are filled up with their own
    first element to the largest size in every dimension.
    """
    if any(array.shape[1:] != arrays[0].shape[1:] for array in arrays):
        if not pads_variable_length or len({array.ndim for array in arrays}) > 1:
            raise failed_precondition(
                f"Tensors with name '{name}' from different tasks have different shapes and padding is turned off. "
                "Set pad_variable_length_inputs to true, or ensure that all tensors with the same name have equal "
                "dimensions starting with the first dim."
            )
        inner = np.max([array.shape[1:] for array in arrays], axis=0)
        arrays = [_filled_up(array, inner) for array in arrays]
    if padding:
        last = next(array for array in reversed(arrays) if len(array))
        arrays = [*arrays, np.repeat(last[:1], padding, axis=0)]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _filled_up(array: np.ndarray, inner: np.ndarray) -> np.ndarray:
    if array.shape[1:] == tuple(inner):
        return array
    if array.ndim > MAX_PADDED_RANK:
        raise invalid_argument(f"Only tensors with rank from 1 to {MAX_PADDED_RANK} can be padded.")
    if not array.size:
        raise invalid_argument("Got empty tensor in batch of non-empty tensors.")
    filled = np.full((len(array), *inner), array.flat[0], array.dtype)
    filled[tuple(map(slice, array.shape))] = array
    return filled


def divided(value: Any, sizes: Sequence[int], padding: int) -> list[np.ndarray]:
    """The value's rows for each of the sizes; the rows after them are padding."""
    array = np.asarray(value)
    if not array.ndim:
        raise failed_precondition("Batched output tensor has 0 dimensions")
    if len(array) != sum(sizes) + padding:
        raise failed_precondition(
            "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input "
            "tensors"
        )
    if len(sizes) == 1:
        return [array[: sizes[0]]]
    ends = np.cumsum(sizes).tolist()
    return [array[end - size : end] for size, end in zip(sizes, ends, strict=True)]
