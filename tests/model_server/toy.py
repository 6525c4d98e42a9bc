"""A small model with one signature for each kind of case; version `v` answers y = x / 2 + v."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from tests.model_server import heads

# Turns of the `slow` signature that no test waits for: minutes, at a million turns a second.
ENDLESS = 2**31 - 1

# Puts a version of the toy under a base path and returns its directory; the fixture of this name.
Publish = Callable[[Path, int], Path]


class Toy(tf.Module):
    """The version is a variable, so that a version restored wrongly answers wrongly."""

    def __init__(self, version: int) -> None:
        super().__init__()
        self.offset = tf.Variable(float(version))
        self.calls = tf.Variable(0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def halve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x / 2 + self.offset}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def text(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"length": tf.strings.length(text), "upper": tf.strings.upper(text)}

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32, "p"), tf.TensorSpec([None], tf.int64, "q")])
    def two(self, p: tf.Tensor, q: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"sum": tf.reduce_sum(p, 1), "twice": 2 * q, "positive": q > 0}

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32, "a")])
    def project(self, a: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"b": tf.matmul(a, tf.ones([3, 2]))}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def boom(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        tf.debugging.assert_less(x, 10.0, "x must stay below ten")
        return {"y": x}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        x = heads.x_of(inputs)
        return {"classes": heads.labels_of(x), "scores": heads.scores_of(x + self.offset)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def regress(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": 2 * heads.x_of(inputs) + self.offset}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def count(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"calls": self.calls.assign_add(1)}

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, "z")])
    def scalar(self, z: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"w": z * z}

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32, "turns")])
    def slow(self, turns: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"turns": tf.while_loop(lambda turn: turn < turns, lambda turn: (turn + 1,), (0,))[0]}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string, "pipe")])
    def held(self, pipe: tf.Tensor) -> dict[str, tf.Tensor]:
        # More than any pipe holds: the run stays here until somebody reads it. See `Gate`.
        content = tf.strings.reduce_join(tf.repeat(pipe, 2**17))
        with tf.control_dependencies([tf.io.write_file(pipe, content)]):
            return {"length": tf.strings.length(pipe)}


# Signature by dtype: identity, for the value fields of every dtype.
DTYPES = (
    "float32",
    "float64",
    "float16",
    "bfloat16",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
    "string",
    "complex64",
    "complex128",
)


def build(directory: Path, version: int) -> Path:
    """Saves version `version` into the directory, which must not exist."""
    toy = Toy(version)
    signatures = {
        "serving_default": toy.halve,
        "text": toy.text,
        "two": toy.two,
        "project": toy.project,
        "classify": toy.classify,
        "regress": toy.regress,
        "scalar": toy.scalar,
        "count": toy.count,
        "boom": toy.boom,
        "slow": toy.slow,
        "held": toy.held,
    }
    for dtype in DTYPES:
        spec = tf.TensorSpec(None, tf.as_dtype(dtype), "value")
        signatures[dtype] = tf.function(lambda value: {"same": tf.identity(value)}, input_signature=[spec])
    tf.saved_model.save(toy, str(directory), signatures=signatures)
    heads.name_methods(directory)
    return directory
