"""A model for Classify and Regress: signatures of serialised tf.Examples, most of them wrong in one way.

Feature `x`, one float. `classify` gives ("low", 1 - x) and ("high", x), `regress` gives 2 x.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
Outputs = dict[str, tf.Tensor]


def x_of(examples: tf.Tensor) -> tf.Tensor:
    """Feature `x` of each example, float32 [n]."""
    return tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([], tf.float32)})["x"]


def scores_of(x: tf.Tensor) -> tf.Tensor:
    """Two scores for each row, float32 [n, 2]."""
    return tf.stack([1 - x, x], 1)


def labels_of(x: tf.Tensor) -> tf.Tensor:
    """Two labels for each row, string [n, 2]."""
    return tf.tile([["low", "high"]], [tf.size(x), 1])


# Outputs by signature, of feature x as float32 [n]; the input is called `inputs`.
HEADS: dict[str, Callable[[tf.Tensor], Outputs]] = {
    "classify": lambda x: {"classes": labels_of(x), "scores": scores_of(x)},
    "classes_only": lambda x: {"classes": labels_of(x)},
    "scores_only": lambda x: {"scores": scores_of(x)},
    "three_outputs": lambda x: {"classes": labels_of(x), "scores": scores_of(x), "more": x},
    "no_classes_or_scores": lambda x: {"probabilities": scores_of(x)},
    "flat_classes": lambda x: {"classes": tf.as_string(x), "scores": scores_of(x)},
    "flat_scores": lambda x: {"classes": labels_of(x), "scores": x},
    "deep_scores": lambda x: {"scores": scores_of(x)[:, :, None]},
    "number_classes": lambda x: {"classes": tf.zeros([tf.size(x), 2], tf.int64), "scores": scores_of(x)},
    "double_scores": lambda x: {"classes": labels_of(x), "scores": tf.cast(scores_of(x), tf.float64)},
    "few_classes": lambda x: {"classes": labels_of(x)[:1], "scores": scores_of(x)},
    "few_scores": lambda x: {"classes": labels_of(x), "scores": scores_of(x)[:1]},
    "uneven": lambda x: {"classes": labels_of(x), "scores": tf.ones([tf.size(x), 3])},
    "no_columns": lambda x: {"scores": tf.ones([tf.size(x), 0])},
    "regress": lambda x: {"outputs": 2 * x},
    "column": lambda x: {"outputs": 2 * x[:, None]},
    "wide": lambda x: {"outputs": scores_of(x)},
    "deep": lambda x: {"outputs": x[:, None, None]},
    "one_number": lambda x: {"outputs": tf.reduce_sum(x)},
    "few_outputs": lambda x: {"outputs": x[:1]},
    "double": lambda x: {"outputs": tf.cast(x, tf.float64)},
    "wrong_output_name": lambda x: {"result": 2 * x},
}


class Heads(tf.Module):
    """Holds nothing: every answer follows from the request."""


def _signature(head: Callable[[tf.Tensor], Outputs]) -> Any:
    spec = tf.TensorSpec([None], tf.string, "inputs")
    return tf.function(lambda inputs: head(x_of(inputs)), input_signature=[spec])


def build(directory: Path) -> Path:
    """Saves the model into the directory, which must not exist."""
    signatures = {name: _signature(head) for name, head in HEADS.items()}
    text, number = tf.TensorSpec([None], tf.string, "text"), tf.TensorSpec([None], tf.float32, "number")
    signatures["wrong_input_name"] = tf.function(lambda text: {"outputs": x_of(text)}, input_signature=[text])
    signatures["wrong_input_name_classify"] = tf.function(
        lambda text: {"scores": scores_of(x_of(text))}, input_signature=[text]
    )
    signatures["two_inputs"] = tf.function(
        lambda text, number: {"outputs": x_of(text) + number}, input_signature=[text, number]
    )
    # The default signature classifies, but is exported for Predict.
    signatures["serving_default"] = _signature(HEADS["classify"])
    tf.saved_model.save(Heads(), str(directory), signatures=signatures)
    name_methods(directory)
    return directory


def name_methods(directory: Path) -> None:
    """Gives `classify` and `regress` of a SavedModel the method names that a TF2 export cannot."""
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(directory))
    updater.replace_method_name("classify", CLASSIFY)
    updater.replace_method_name("regress", REGRESS)
    updater.save()
