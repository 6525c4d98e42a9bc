"""How the original design made a text the encoder's input: every row as long as the longest could be."""

import tensorflow as tf

from training.fit.classifier import TrainedClassifier

PIECES = 128


def inputs(classifier: TrainedClassifier, text: tf.Tensor) -> dict[str, tf.Tensor]:
    """Texts, string [rows] -> packed inputs, int32 [rows, 128] each. For graphs.

    The classifier's own limit still holds: a text is cut where it was cut in training, so that it means the same. The
    rest is padding.
    """
    length = min(PIECES, classifier.description.sequence_length)
    packed = classifier.preprocess.bert_pack_inputs([classifier.preprocess.tokenize(text)], seq_length=length)
    # 0 is [PAD], an unset mask and the first segment's type.
    return {name: tf.pad(values, [[0, 0], [0, PIECES - length]]) for name, values in packed.items()}
