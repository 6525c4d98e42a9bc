"""The baseline answers as the classifier does."""

from pathlib import Path

import pytest
import tensorflow as tf

from benchmarks.serving import baseline
from training.fit import classifier


def test_the_baseline_answers_as_the_classifier_does(quick_models: Path) -> None:
    trained = classifier.load(quick_models.parent / "classifier")
    # The last one is longer than the classifier reads.
    texts = ["What next?", "how long do I boil the pasta", "Thank you, that was delicious", "stir the soup " * 40]
    expected = tf.nn.softmax(trained.logits(texts)).numpy()
    client = baseline.application(trained).test_client()
    for text, probabilities in zip(texts, expected, strict=True):
        answer = client.post("/predict", json={"text": text}).get_json()
        assert answer["intent"] == trained.labels[int(probabilities.argmax())]
        assert answer["score"] == pytest.approx(probabilities.max(), abs=1e-4)
