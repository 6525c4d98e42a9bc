"""The served model: a trained classifier behind the signatures of the contract.

| signature | inputs | outputs |
|---|---|---|
| serving_default | text: string [-1] | probabilities: float32 [-1, n]; label_index: int64 [-1]; label_set: int64 [-1] |
| dialogue | text, role, previous: string [-1] each | the same |
| classify | inputs: serialized tf.Example (feature `text`) [-1] | classes: string [-1, n]; scores: float32 [-1, n] |
| labels | label_index: int64 [-1] | intent: string [-1]; label_set: int64 [-1] |

n is the number of intents. `label_set` is the fingerprint of their list (`export.label_set`), the same in every row.
`dialogue` is there if the classifier reads context; with role and previous empty it answers as serving_default does.
A row's answer does not depend on its batch mates. Nothing is computed for padding, where `export.packed` can help it.
"""

from dataclasses import replace
from pathlib import Path

import tensorflow as tf

from export import packed, storage
from export.label_set import label_set
from training.fit.classifier import TrainedClassifier

CLASSIFY = "classify"
DIALOGUE = "dialogue"
# What a client of the Classify API expects to find as the signature's method.
CLASSIFY_METHOD = "tensorflow/serving/classify"


def _strings(name: str) -> tf.TensorSpec:
    return tf.TensorSpec([None], tf.string, name=name)


class IntentModel(tf.Module):
    """The functions behind the signatures."""

    def __init__(self, classifier: TrainedClassifier) -> None:
        super().__init__(name="intent")
        self._classifier = classifier
        self.intents = tf.constant(classifier.labels)
        self._label_set = tf.constant(label_set(classifier.labels), tf.int64)

    @tf.function(input_signature=[_strings("text")])
    def serving_default(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Utterances -> probabilities and the index of the likeliest intent."""
        return self._answer(self._classifier.text_logits(text))

    @tf.function(input_signature=[_strings("text"), _strings("role"), _strings("previous")])
    def dialogue(self, text: tf.Tensor, role: tf.Tensor, previous: tf.Tensor) -> dict[str, tf.Tensor]:
        """Utterances, who says them, and what was said before; empty = unknown."""
        return self._answer(self._classifier.dialogue_logits(text, role, previous))

    @tf.function(input_signature=[_strings("inputs")])
    def classify(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized tf.Examples -> every intent with its probability, in label order."""
        parsed = tf.io.parse_example(inputs, {"text": tf.io.FixedLenFeature([], tf.string)})
        scores = tf.nn.softmax(self._classifier.text_logits(parsed["text"]))
        return {"classes": tf.tile(self.intents[tf.newaxis, :], [tf.shape(scores)[0], 1]), "scores": scores}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="label_index")])
    def labels(self, label_index: tf.Tensor) -> dict[str, tf.Tensor]:
        """Label indices -> intent names. An input, because batching refuses signatures without one."""
        return {"intent": tf.gather(self.intents, label_index), "label_set": self._in_each_row(label_index)}

    def _answer(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        probabilities = tf.nn.softmax(logits)
        index = tf.argmax(probabilities, axis=1, output_type=tf.int64)
        return {"probabilities": probabilities, "label_index": index, "label_set": self._in_each_row(index)}

    def _in_each_row(self, rows: tf.Tensor) -> tf.Tensor:
        # Batching cuts every output by its rows, so a number for all of them has to stand in each.
        return tf.fill(tf.shape(rows), self._label_set)


def write(classifier: TrainedClassifier, path: Path, precision: str = "float32") -> None:
    """Writes the SavedModel with its signatures to `path`; `precision` as in `check.TOLERANCES`.

    Raises:
        PrecisionError: the encoder cannot be computed in that precision.
    """
    classifier = replace(classifier, encoder=packed.served(classifier.encoder, precision))
    model = IntentModel(classifier)
    signatures = {"serving_default": model.serving_default, CLASSIFY: model.classify, "labels": model.labels}
    if classifier.context != "none":
        signatures[DIALOGUE] = model.dialogue
    concrete = {name: function.get_concrete_function() for name, function in signatures.items()}
    tf.saved_model.save(storage.holding(classifier, concrete.values()), str(path), signatures=concrete)
    # TF2 writes the method name "predict" into every signature; there is no argument for another one.
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(path))
    updater.replace_method_name(signature_key=CLASSIFY, method_name=CLASSIFY_METHOD, tags="serve")
    updater.save()
