"""`python -m export publish` and `list`: only whole versions appear, with all that belongs to them."""

import json
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from export.__main__ import main
from tests.export.conftest import Served


def test_warm_up_records_are_requests_the_version_answers(models: Path, served: Served) -> None:
    file = models / "1" / "assets.extra" / "tf_serving_warmup_requests"
    records = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        for record in tf.data.TFRecordDataset(str(file))
    ]
    assert {record.model_spec.signature_name for record in records} == {"serving_default", "dialogue", "labels"}
    assert {record.model_spec.name for record in records} == {"intent"}
    shapes = set()
    for record in records:
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in record.inputs.items()}
        shapes.add((record.model_spec.signature_name, *{len(value) for value in inputs.values()}))
        assert served.ask(record.model_spec.signature_name, **inputs)
    assert {rows for name, rows in shapes if name == "serving_default"} >= {1, 32}


def test_report_travels_with_the_version(models: Path, tiny_classifier: Path) -> None:
    extra = models / "1" / "assets.extra"
    for name in ("MODEL_CARD.md", "metrics.json", "curves.png"):
        assert (extra / name).read_bytes() == (tiny_classifier / name).read_bytes()


def test_next_version_follows_the_highest(tmp_path: Path, tiny_classifier: Path, capsys: pytest.CaptureFixture) -> None:
    for taken in ("3", "v9", ".unpublished-left-over", "007"):
        (tmp_path / taken).mkdir()
    assert main(["publish", "--classifier", str(tiny_classifier), "--models", str(tmp_path)]) == 0
    assert (tmp_path / "8" / "saved_model.pb").exists()
    assert "published version 8" in capsys.readouterr().out


def test_list_shows_versions_and_says_when_there_are_none(
    models: Path, tmp_path: Path, tiny_pair: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--models", str(models)]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    accuracy = json.loads((models / "1/assets.extra/metrics.json").read_text())["splits"]["test"]["accuracy"]
    assert heading.split()[0] == "version"
    assert line.split()[0] == "1"
    assert f"{accuracy:.4f}" in line
    assert f"{tiny_pair} by recipe quick" in line
    assert main(["list", "--models", str(tmp_path)]) == 1
    assert "no version in" in capsys.readouterr().err
    assert main(["list", "--models", str(tmp_path), "--quiet"]) == 1
    assert capsys.readouterr() == ("", "")


def test_classifier_that_is_none_publishes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "--classifier", str(tmp_path / "absent"), "--models", str(tmp_path / "models")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "models").exists()
