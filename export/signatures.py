"""The served model: a trained classifier behind the signatures of the contract.

| signature | inputs | outputs |
|---|---|---|
| serving_default | text: string [-1] | probabilities: float32 [-1, 11]; label_index: int64 [-1] |
| classify | inputs: serialized tf.Example (feature `text`) [-1] | classes: string [-1, 11]; scores: float32 [-1, 11] |
| labels | label_index: int64 [-1] | intent: string [-1] |

A row's answer does not depend on its batch mates: padding is masked, and only its amount follows the batch.
"""

from pathlib import Path

import tensorflow as tf

from training.classifier import LENGTH_MULTIPLE, TrainedClassifier

CLASSIFY = "classify"
# What a client of the Classify API expects to find as the signature's method.
CLASSIFY_METHOD = "tensorflow/serving/classify"
# [CLS] and [SEP] around the pieces of every row.
SPECIAL_PIECES = 2


class IntentModel(tf.Module):
    """The functions behind the signatures."""

    def __init__(self, classifier: TrainedClassifier) -> None:
        super().__init__(name="intent")
        self.preprocess = classifier.preprocess
        self.encoder = classifier.encoder
        self.kernel = classifier.kernel
        self.bias = classifier.bias
        self.intents = tf.constant(classifier.labels)
        self.sequence_length = classifier.sequence_length

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serving_default(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Utterances -> probabilities and the index of the likeliest intent."""
        probabilities = self._probabilities(text)
        return {"probabilities": probabilities, "label_index": tf.argmax(probabilities, axis=1, output_type=tf.int64)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized tf.Examples -> every intent with its probability, in label order."""
        parsed = tf.io.parse_example(inputs, {"text": tf.io.FixedLenFeature([], tf.string)})
        scores = self._probabilities(parsed["text"])
        return {"classes": tf.tile(self.intents[tf.newaxis, :], [tf.shape(scores)[0], 1]), "scores": scores}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="label_index")])
    def labels(self, label_index: tf.Tensor) -> dict[str, tf.Tensor]:
        """Label indices -> intent names. An input, because batching refuses signatures without one."""
        return {"intent": tf.gather(self.intents, label_index)}

    def _probabilities(self, text: tf.Tensor) -> tf.Tensor:
        # A row of broken UTF-8 would fail the whole batch, with everybody else's rows in it.
        clean = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
        tokens = self.preprocess.tokenize(clean)
        packed = self.preprocess.bert_pack_inputs([tokens], seq_length=self._padded_length(tokens))
        logits = tf.matmul(self.encoder(packed)["pooled_output"], self.kernel) + self.bias
        return tf.nn.softmax(logits)

    def _padded_length(self, tokens: tf.RaggedTensor) -> tf.Tensor:
        """The longest row, up to a multiple of 8, at most the trained length: a quarter of the work of always 128."""
        pieces = tokens.merge_dims(1, -1) if tokens.ragged_rank > 1 else tokens
        # The 0 stands in for the longest row of an empty batch.
        longest = tf.reduce_max(tf.concat([pieces.row_lengths(), [0]], axis=0)) + SPECIAL_PIECES
        rounded = -(-longest // LENGTH_MULTIPLE) * LENGTH_MULTIPLE
        return tf.cast(tf.minimum(rounded, self.sequence_length), tf.int32)


def write(classifier: TrainedClassifier, path: Path) -> None:
    """Writes the SavedModel with the three signatures to `path`."""
    model = IntentModel(classifier)
    signatures = {"serving_default": model.serving_default, CLASSIFY: model.classify, "labels": model.labels}
    tf.saved_model.save(model, str(path), signatures=signatures)
    # TF2 writes the method name "predict" into every signature; there is no argument for another one.
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(path))
    updater.replace_method_name(signature_key=CLASSIFY, method_name=CLASSIFY_METHOD, tags="serve")
    updater.save()
