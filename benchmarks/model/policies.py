"""Ways to pad a batch, as signatures of one SavedModel, and the classifier as it is exported beside them.

All of them tokenise, cut, encode and classify alike, with the same weights; only what stands behind the last piece of a
row differs.
"""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from benchmarks.model.costs import LENGTHS, row
from benchmarks.model.settings import FIXED, LONGEST, MULTIPLE, SIGNATURES
from export import signatures, storage
from training.errors import ClassifierError
from training.fit import context
from training.fit.classifier import TrainedClassifier
from training.fit.context import SPECIAL_PIECES, Packed

# What TensorFlow Hub's preprocessing packs to, whatever the text.
FIXED_LENGTH = 128


class Policies(tf.Module):
    """The functions behind the signatures: text, string [rows] -> `probabilities`, float32 [rows, 11]."""

    def __init__(self, classifier: TrainedClassifier) -> None:
        super().__init__(name="policies")
        self._classifier = classifier

    def fixed(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """As long as the reference packs every row; cut where the classifier cuts, for the same answer."""
        limit = self._classifier.description.sequence_length
        packed = self._classifier.preprocess.bert_pack_inputs([self._tokens(text)], seq_length=tf.constant(limit))
        # [PAD], an unset mask and the first segment's type are all 0.
        behind = [[0, 0], [0, max(0, FIXED_LENGTH - limit)]]
        return self._answer({name: tf.pad(values, behind) for name, values in packed.items()})

    def longest(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """As long as the longest row."""
        tokens = self._tokens(text)
        longest = tf.cast(tf.reduce_max(_row_lengths(tokens)), tf.int32) + SPECIAL_PIECES
        length = tf.minimum(longest, self._classifier.description.sequence_length)
        return self._answer(self._classifier.preprocess.bert_pack_inputs([tokens], seq_length=length))

    def multiple(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """As long as the longest row, up to a multiple of 8."""
        limit = self._classifier.description.sequence_length
        return self._answer(context.pack(self._classifier.preprocess, [text], limit))

    def _tokens(self, text: tf.Tensor) -> tf.RaggedTensor:
        return self._classifier.preprocess.tokenize(
            tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
        )

    def _answer(self, packed: Packed) -> dict[str, tf.Tensor]:
        pooled = self._classifier.encoder(packed)["pooled_output"]
        logits = tf.matmul(pooled, self._classifier.kernel) + self._classifier.bias
        return {"probabilities": tf.nn.softmax(logits / self._classifier.temperature)}


def write(classifier: TrainedClassifier, folder: Path) -> None:
    """Writes both SavedModels of `workers.SAVED_MODELS` into the folder.

    Raises:
        ClassifierError: its vocabulary is not one that `costs.row` makes rows for.
    """
    if lengths(classifier, [row(length) for length in LENGTHS]) != [
        min(length, classifier.description.sequence_length) for length in LENGTHS
    ]:
        raise ClassifierError("this benchmark needs a classifier with an English vocabulary")
    signatures.write(classifier, folder / "exported")
    policies = Policies(classifier)
    text = [tf.TensorSpec([None], tf.string, name="text")]
    functions = {FIXED: policies.fixed, LONGEST: policies.longest, MULTIPLE: policies.multiple}
    concrete = {
        SIGNATURES[name]: tf.function(function, input_signature=text).get_concrete_function()
        for name, function in functions.items()
    }
    tf.saved_model.save(storage.holding(classifier, concrete.values()), str(folder / "policies"), signatures=concrete)


def lengths(classifier: TrainedClassifier, texts: Sequence[str]) -> list[int]:
    """Word pieces of each text that the classifier reads, [CLS] and [SEP] included."""
    found = _row_lengths(classifier.preprocess.tokenize(tf.constant(list(texts)))).numpy() + SPECIAL_PIECES
    return [min(int(length), classifier.description.sequence_length) for length in found]


def _row_lengths(tokens: tf.RaggedTensor) -> tf.Tensor:
    # Hub's preprocessing gives pieces by word.
    return (tokens.merge_dims(1, -1) if tokens.ragged_rank > 1 else tokens).row_lengths()
