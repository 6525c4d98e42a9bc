"""A model whose outputs are hard to lay out as JSON."""

from pathlib import Path

import tensorflow as tf

_FLOATS, _STRINGS = tf.TensorSpec([None], tf.float32, "x"), tf.TensorSpec(None, tf.string, "text")
_DEEP = tf.TensorSpec([None, None, None], tf.int32, "deep")


def build(directory: Path) -> Path:
    """Saves the model into the directory, which must not exist."""
    functions = {
        "strings": (lambda text: {"text": tf.identity(text), "text_bytes": tf.identity(text)}, [_STRINGS]),
        "only_bytes": (lambda text: {"text_bytes": tf.identity(text)}, [_STRINGS]),
        "deep": (lambda deep: {"deep": tf.identity(deep), "sums": tf.reduce_sum(deep, 2)}, [_DEEP]),
        "uneven": (lambda x: {"all": tf.identity(x), "first": x[:1]}, [_FLOATS]),
        "sum": (lambda x: {"sum": tf.reduce_sum(x)}, [_FLOATS]),
        "half_out": (lambda x: {"half": tf.cast(x, tf.float16)}, [_FLOATS]),
        "no_rows": (lambda x: {"none": x[:0]}, [_FLOATS]),
        "no_inputs": (lambda: {"one": tf.constant([1.0])}, []),
    }
    signatures = {name: tf.function(body, input_signature=specs) for name, (body, specs) in functions.items()}
    tf.saved_model.save(tf.Module(), str(directory), signatures=signatures)
    return directory
