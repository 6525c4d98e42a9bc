"""Weights in 8 bits: every large weight is a whole multiple, -127 to 127, of a step of its own channel.

Weights are rounded once, after training and before calibration, so that the figures are those of the served model.
`export` stores the multiples and steps instead of the weights, without further loss.
"""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

# The largest multiple: symmetric, so that zero stays zero.
LARGEST = 127
# Variables with fewer numbers stay exact: rounding them would save nothing.
LARGE = 4096


def is_large(variable: tf.Variable) -> bool:
    """Whether the variable is rounded: a large float32 kernel or embedding."""
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
