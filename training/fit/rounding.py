"""Weights in 8 bits: every large weight is a whole multiple, -127 to 127, of a step of its own channel.

Rounding happens once, after training, so that all that is measured and calibrated later is measured on what is served;
`export` then stores the multiples and steps instead of the weights, and loses nothing.
"""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

# The largest multiple: symmetric, so that zero stays zero.
LARGEST = 127
# Numbers in a variable from which on rounding saves anything worth having; biases and scales stay exact.
LARGE = 4096


def is_large(variable: tf.Variable) -> bool:
    """Whether the variable is one of those that are rounded: float32 matrices, kernels and embeddings."""
    return variable.dtype == tf.float32 and len(variable.shape) >= 2 and np.prod(variable.shape) >= LARGE


def steps(variable: tf.Variable) -> np.ndarray:
    """The step of each channel, broadcastable to the variable: an embedding's row, a kernel's output."""
    axis = -1 if "embedding" in variable.name else 0
    largest = np.abs(variable.numpy()).max(axis=axis, keepdims=True)
    # A channel of zeros has any step.
    found: np.ndarray = np.where(largest == 0, 1, largest / LARGEST).astype(np.float32)
    return found


def multiples(variable: tf.Variable) -> np.ndarray:
    """int8, of the variable's shape."""
    whole: np.ndarray = np.round(variable.numpy() / steps(variable)).astype(np.int8)
    return whole


def round_weights(variables: Iterable[tf.Variable]) -> None:
    """Changes the large ones of the variables to the nearest multiples of their steps."""
    for variable in filter(is_large, variables):
        variable.assign(multiples(variable) * steps(variable))
