"""Weights in 8 bits on disk, the same answers."""

import dataclasses
from pathlib import Path

import numpy as np
import tensorflow as tf

from export import signatures
from training.fit import classifier

TEXTS = ["What's next?", "", "How many eggs do I need for the cake?"]


def written(trained: classifier.TrainedClassifier, path: Path) -> tuple[int, np.ndarray]:
    """Bytes of the variables, and the probabilities of TEXTS from a v1 session."""
    signatures.write(trained, path)
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        signature = tf.compat.v1.saved_model.load(session, ["serve"], str(path)).signature_def["serving_default"]
        answer = session.run(
            signature.outputs["probabilities"].name, {signature.inputs["text"].name: np.array(TEXTS, object)}
        )
    return sum(file.stat().st_size for file in (path / "variables").iterdir()), answer


def test_int8_takes_a_third_and_answers_the_same(tiny_classifier: Path, tmp_path: Path) -> None:
    """Of 16 numbers a row, 4 bytes each, are left 16 bytes and a step of 4: less than a third of the embeddings."""
    rounded = classifier.load(tiny_classifier)
    assert rounded.description.weights == "int8"
    exact = dataclasses.replace(rounded, description=dataclasses.replace(rounded.description, weights="float32"))
    small, as_int8 = written(rounded, tmp_path / "int8")
    large, as_float32 = written(exact, tmp_path / "float32")
    assert small < large * 0.34
    np.testing.assert_allclose(as_int8, as_float32, atol=1e-6)


def test_loading_twice_and_letting_go_leaves_a_working_model(tiny_classifier: Path, tmp_path: Path) -> None:
    """Both load the same resource by the same name; the first one's end must not take it from the second."""
    written(classifier.load(tiny_classifier), tmp_path / "1")
    first, second = (tf.saved_model.load(str(tmp_path / "1")) for _ in range(2))
    expected = first.signatures["serving_default"](text=tf.constant(TEXTS))["probabilities"].numpy()
    del first
    np.testing.assert_allclose(
        second.signatures["serving_default"](text=tf.constant(TEXTS))["probabilities"], expected, atol=1e-6
    )
