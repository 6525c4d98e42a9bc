"""The classifier: the reference architecture to train, and the trained one on disk.

text -> preprocessing -> encoder -> pooled output -> dropout -> dense 11 (logits), over any hub-shaped pair.

A classifier directory is complete in itself, wherever its encoder came from:
    model/            SavedModel: `preprocess`, `encoder` (both hub-shaped), `kernel`, `bias`
    classifier.json   labels in index order, sequence length, encoder
and, from `training.report`: metrics.json, MODEL_CARD.md and its pictures.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
import tensorflow_text  # noqa: F401  registers the ops of the preprocessing
import tf_keras

from training.encoders import Encoder
from training.errors import ClassifierError, EncoderError
from training.intents import INTENTS

# Padding to a multiple of this many pieces: few distinct shapes, each of which costs memory and a first slow run.
LENGTH_MULTIPLE = 8
# Rows of one run when many are classified at once.
BATCH_ROWS = 64
Packed = dict[str, tf.Tensor]


@dataclass(frozen=True)
class TrainableClassifier:
    """The two Keras models that share every layer.

    Attributes:
        model: string [batch] -> logits float32 [batch, 11]; the reference architecture as published.
        packed_model: packed inputs (int32 [batch, any length] each) -> the same logits; skips tokenising again.
        preprocess, encoder: the resolved hub objects.
    """

    model: tf_keras.Model
    packed_model: tf_keras.Model
    preprocess: Any
    encoder: Any
    sequence_length: int

    @property
    def trainable_parameters(self) -> int:
        """Numbers that training changes: 9,593,867 over Hub's L-2_H-256_A-4."""
        return sum(int(np.prod(variable.shape)) for variable in self.model.trainable_variables)


def build(pair: Encoder, sequence_length: int, dropout: float) -> TrainableClassifier:
    """The untrained classifier over a hub-shaped pair.

    Raises:
        EncoderError: the pair cannot be loaded, or it is not hub-shaped.
    """
    preprocess, encoder = _load_hub(pair.preprocess), _load_hub(pair.encoder)
    if not hasattr(preprocess, "tokenize") or not hasattr(preprocess, "bert_pack_inputs"):
        raise EncoderError(f"{pair.preprocess}: not a text preprocessing model (no `tokenize` and `bert_pack_inputs`)")
    if not getattr(encoder, "trainable_variables", None):
        raise EncoderError(f"{pair.encoder}: lists no trainable_variables, so nothing of it would be trained")
    packing = hub.KerasLayer(preprocess.bert_pack_inputs, arguments={"seq_length": sequence_length}, name="pack")
    encode = hub.KerasLayer(encoder, trainable=True, name="encoder")
    drop = tf_keras.layers.Dropout(dropout, name="dropout")
    dense = tf_keras.layers.Dense(len(INTENTS), name="classifier")

    def head(packed: Any) -> Any:
        outputs = encode(packed)
        if "pooled_output" not in outputs:
            raise EncoderError(f"{pair.encoder}: has no `pooled_output`; it gives {', '.join(sorted(outputs))}")
        return dense(drop(outputs["pooled_output"]))

    text = tf_keras.layers.Input(shape=(), dtype=tf.string, name="text")
    packed = packing([hub.KerasLayer(preprocess.tokenize, name="tokenize")(text)])
    inputs = {name: tf_keras.layers.Input(shape=(None,), dtype=tf.int32, name=name) for name in packed}
    return TrainableClassifier(
        model=tf_keras.Model(text, head(packed)),
        packed_model=tf_keras.Model(inputs, head(inputs)),
        preprocess=preprocess,
        encoder=encoder,
        sequence_length=sequence_length,
    )


def pack(preprocess: Any, texts: Sequence[str], sequence_length: int) -> Packed:
    """Tokenises once: every text packed to the full length, int32 [rows, sequence_length] each."""
    tokens = preprocess.tokenize(tf.constant(list(texts), tf.string))
    return preprocess.bert_pack_inputs([tokens], seq_length=tf.constant(sequence_length))


def trim(packed: Packed) -> Packed:
    """Drops the columns that are padding in every row, up to a multiple of 8: same logits, about a quarter the work."""
    longest = tf.reduce_max(tf.reduce_sum(packed["input_mask"], axis=1))
    length = -(-longest // LENGTH_MULTIPLE) * LENGTH_MULTIPLE
    return {name: value[:, :length] for name, value in packed.items()}


@dataclass(frozen=True)
class TrainedClassifier:
    """A classifier as read back from its directory.

    Attributes:
        preprocess, encoder: hub-shaped.
        kernel: float32 [hidden, 11]; bias: float32 [11].
        labels: the intents in index order.
        sequence_length: most word pieces per utterance.
    """

    preprocess: Any
    encoder: Callable[..., dict[str, tf.Tensor]]
    kernel: tf.Variable
    bias: tf.Variable
    labels: tuple[str, ...]
    sequence_length: int
    encoder_name: str

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """Logits, float32 [rows, 11], in the order of `texts`; rows of like length are run together."""
        packed = pack(self.preprocess, texts, self.sequence_length)
        order = np.argsort(packed["input_mask"].numpy().sum(axis=1), kind="stable")
        logits = np.empty((len(order), len(self.labels)), np.float32)
        signature = {name: tf.TensorSpec([None, None], value.dtype) for name, value in packed.items()}
        run = tf.function(self.packed_logits, input_signature=[signature])
        for start in range(0, len(order), BATCH_ROWS):
            rows = order[start : start + BATCH_ROWS]
            logits[rows] = run(trim({name: tf.gather(value, rows) for name, value in packed.items()})).numpy()
        return logits

    def packed_logits(self, packed: Packed) -> tf.Tensor:
        """Packed inputs, int32 [rows, any length] each -> logits float32 [rows, 11]."""
        return tf.matmul(self.encoder(packed)["pooled_output"], self.kernel) + self.bias


def save(trained: TrainableClassifier, encoder_name: str, directory: Path) -> None:
    """Writes model/ and classifier.json into an existing directory."""
    kernel, bias = trained.packed_model.get_layer("classifier").weights
    root = tf.train.Checkpoint(preprocess=trained.preprocess, encoder=trained.encoder, kernel=kernel, bias=bias)
    tf.saved_model.save(root, str(directory / "model"))
    described = {"labels": INTENTS, "sequence_length": trained.sequence_length, "encoder": encoder_name}
    (directory / "classifier.json").write_text(json.dumps(described, indent=2) + "\n")


def load(directory: Path) -> TrainedClassifier:
    """Reads a classifier directory.

    Raises:
        ClassifierError: it is missing or incomplete.
    """
    try:
        described = json.loads((directory / "classifier.json").read_text())
        root = tf.saved_model.load(str(directory / "model"))
        return TrainedClassifier(
            preprocess=root.preprocess,
            encoder=root.encoder,
            kernel=root.kernel,
            bias=root.bias,
            labels=tuple(described["labels"]),
            sequence_length=described["sequence_length"],
            encoder_name=described["encoder"],
        )
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ClassifierError(
            f"{directory} is no classifier ({error}); make one with `python -m training fit`"
        ) from error


def _load_hub(handle: str) -> Any:
    try:
        return hub.load(handle)
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise EncoderError(
            f"cannot load {handle}: {first_line}. Without access to TensorFlow Hub use --encoder minilm, a directory, "
            "or a filled TFHUB_CACHE_DIR"
        ) from error
