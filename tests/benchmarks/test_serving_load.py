"""What wrk says, what the soak sends, and that rows of 128 pieces mean the same."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.gateway_load import utterances
from benchmarks.serving import baseline, padding, sides, soak, wrk
from training.fit import classifier

SAID = """Running 8s test @ http://127.0.0.1:5000
FIGURES {"requests": 80, "seconds": 8.0, "failed": 1, "mean": 2000.0, "p50": 1.0, "p90": 2.0, "p99": 3.0}
"""


def test_the_rate_is_what_was_counted() -> None:
    load = wrk.parse(SAID, cpu_seconds=0.5)
    assert (load.requests, load.rate, load.percentiles, load.failed, load.cpu_seconds) == (80, 10, (1, 2, 3), 1, 0.5)


def test_few_answers_give_the_rate_by_their_latency() -> None:
    assert wrk.parse(SAID, 0.5, connections=32).rate == 16


def test_no_answer_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="not one request"):
        wrk.parse(SAID.replace("80", "0"), 0.5)


def test_soak_bodies_are_of_many_shapes_and_repeat_by_seed() -> None:
    texts = [f"text {number}" for number in range(50)]
    first = soak.bodies(texts, 1)
    assert first == soak.bodies(texts, 1) != soak.bodies(texts, 2)
    sizes = [len(json.loads(body)["texts"]) for body in first]
    assert set(sizes) == set(range(1, soak.MOST_TEXTS + 1))
    assert 0.85 < sizes.count(1) / len(sizes) < 0.95


def test_rows_of_128_pieces_answer_as_the_classifier_does(quick_models: Path, tmp_path: Path) -> None:
    directory = quick_models.parent / "classifier"
    padding.write(directory, tmp_path / "fixed")
    with sides.in_process(tmp_path / "fixed") as model:
        model.answers(tmp_path / "answers.npy", 32)
        found = model.measure(32, 0.1, 1)
    expected = tf.nn.softmax(classifier.load(directory).logits(utterances())).numpy()
    assert abs(np.load(tmp_path / "answers.npy") - expected).max() < 1e-5
    assert found.rows > 0
    assert 0 < found.p50 <= found.p90 <= found.p99


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
