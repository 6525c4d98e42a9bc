"""What is trained over any hub-shaped pair: encoder -> pooled output -> dropout -> dense 11 (logits)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
import tensorflow_text  # noqa: F401  registers the ops of the preprocessing
import tf_keras

from training.data.intents import INTENTS
from training.encoder.bert import INPUTS
from training.encoder.encoders import Encoder
from training.errors import EncoderError


@dataclass(frozen=True)
class TrainableClassifier:
    """A Keras model and the hub objects that it is made of.

    Attributes:
        model: packed inputs (int32 [batch, any length] each, see `training.fit.context`) -> logits float32 [batch, 11].
    """

    model: tf_keras.Model
    preprocess: Any
    encoder: Any

    @property
    def trainable_parameters(self) -> int:
        """Numbers that training changes: 9,593,867 over Hub's L-2_H-256_A-4."""
        return sum(int(np.prod(variable.shape)) for variable in self.model.trainable_variables)


def build(pair: Encoder, dropout: float, train_embeddings: bool = True) -> TrainableClassifier:
    """The untrained classifier over a hub-shaped pair.

    Raises:
        EncoderError: the pair cannot be loaded, or it is not hub-shaped.
    """
    preprocess, encoder = _load_hub(pair.preprocess), _load_hub(pair.encoder)
    if not hasattr(preprocess, "tokenize") or not hasattr(preprocess, "bert_pack_inputs"):
        raise EncoderError(f"{pair.preprocess}: not a text preprocessing model (no `tokenize` and `bert_pack_inputs`)")
    if not getattr(encoder, "trainable_variables", None):
        raise EncoderError(f"{pair.encoder}: lists no trainable_variables, so nothing of it would be trained")
    if not train_embeddings:
        # hub.KerasLayer trains what is listed here. The name is the same in Hub's encoders and in ours.
        encoder.trainable_variables = [
            variable for variable in encoder.trainable_variables if "word_embeddings" not in variable.name
        ]
    inputs = {name: tf_keras.layers.Input(shape=(None,), dtype=tf.int32, name=name) for name in INPUTS}
    outputs = hub.KerasLayer(encoder, trainable=True, name="encoder")(inputs)
    if "pooled_output" not in outputs:
        raise EncoderError(f"{pair.encoder}: has no `pooled_output`; it gives {', '.join(sorted(outputs))}")
    pooled = tf_keras.layers.Dropout(dropout, name="dropout")(outputs["pooled_output"])
    logits = tf_keras.layers.Dense(len(INTENTS), name="classifier")(pooled)
    return TrainableClassifier(tf_keras.Model(inputs, logits), preprocess, encoder)


def _load_hub(handle: str) -> Any:
    try:
        return hub.load(handle)
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise EncoderError(
            f"cannot load {handle}: {first_line}. Without access to TensorFlow Hub use --encoder minilm, a directory, "
            "or a filled TFHUB_CACHE_DIR"
        ) from error
