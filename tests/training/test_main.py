"""`python -m training`: what fit and evaluate write and print, and that nothing is lost when they fail."""

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from training.__main__ import main
from training.data import dataset
from training.data.intents import INTENTS
from training.encoder.bert import BertConfig, BertEncoder, save_encoder

QUICK = ["fit", "--recipe", "quick", "--data", "sample", "--epochs", "1"]


def test_fit_writes_metrics_card_and_pictures(tiny_classifier: Path, tiny_pair: Path) -> None:
    metrics = json.loads((tiny_classifier / "metrics.json").read_text())
    assert set(metrics["splits"]) == {"train", "validation", "test"}
    test = metrics["splits"]["test"]
    assert test.keys() >= {"loss", "accuracy", "macro_f1", "rows"}
    assert set(test["per_class"]) == set(INTENTS)
    assert test["per_class"]["stop"].keys() >= {"precision", "recall"}
    assert sum(map(sum, test["confusion"])) == test["rows"] == metrics["data"]["splits"]["test"]
    assert len(metrics["data"]["checksums"]) == 2
    assert (metrics["encoder"], metrics["recipe_name"]) == (str(tiny_pair), "quick")
    assert metrics["recipe"]["seed"] == 0
    assert metrics["versions"]["tensorflow"].startswith("2.20")
    card = (tiny_classifier / "MODEL_CARD.md").read_text()
    for picture in ("curves.png", "confusion-validation.png", "confusion-test.png"):
        assert f"({picture})" in card
        assert (tiny_classifier / picture).read_bytes().startswith(b"\x89PNG")


def test_evaluate_agrees_with_fit(tiny_classifier: Path, small_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--classifier", str(tiny_classifier), "--data", str(small_data), "--json"]) == 0
    evaluated = json.loads(capsys.readouterr().out)
    assert evaluated == json.loads((tiny_classifier / "metrics.json").read_text())["splits"]
    assert main(["evaluate", "--classifier", str(tiny_classifier), "--data", str(small_data)]) == 0
    assert f"| test | {evaluated['test']['rows']} |" in capsys.readouterr().out


def test_interrupted_training_goes_on_and_ends_at_the_same_metrics(
    tiny_pair: Path, small_data: Path, tmp_path: Path
) -> None:
    words = ["fit", "--recipe", "quick", "--data", str(small_data), "--epochs", "3", "--encoder", str(tiny_pair)]
    command = [sys.executable, "-m", "training", *words, "--output", str(tmp_path / "resumed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        next(line for line in process.stdout if line.startswith("epoch 1/3"))
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert "the same command goes on" in process.stderr.read()
    assert not (tmp_path / "resumed").exists()
    resumed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "going on after epoch" in resumed.stdout
    assert "epoch 1/3" not in resumed.stdout
    assert main([*words, "--output", str(tmp_path / "whole")]) == 0

    def figures(name: str) -> list[float]:
        metrics = json.loads((tmp_path / name / "metrics.json").read_text())
        splits = [metrics[view][split] for view in ("splits", "dialogue") for split in dataset.SPLITS]
        history = [metrics["history"][curve] for curve in ("loss", "val_loss", "accuracy", "val_accuracy")]
        return [value for values in history for value in values] + [split["loss"] for split in splits]

    # Sums over threads may end a bit apart, but an epoch from another seed or another learning rate far more.
    assert figures("resumed") == pytest.approx(figures("whole"), rel=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["resumed", "whole"]


@pytest.fixture(scope="module")
def two_seeds(tiny_pair: Path, small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training with the seeds 0 and 1, beside whose output another run's state was left."""
    output = tmp_path_factory.mktemp("seeds") / "classifier"
    state = output.parent / ".classifier.unfinished" / "seed-0"
    state.mkdir(parents=True)
    (state / "identity.json").write_text("{}")
    (state / "history.json").write_text("not even JSON")
    words = ["--encoder", str(tiny_pair), "--data", str(small_data), "--seeds", "2", "--output", str(output)]
    assert main(["fit", "--recipe", "quick", "--epochs", "1", *words]) == 0
    return output


def test_seeds_give_mean_and_spread_and_the_best_of_validation_is_kept(two_seeds: Path) -> None:
    metrics = json.loads((two_seeds / "metrics.json").read_text())
    assert metrics["seeds"]["seeds"] == [0, 1]
    spread = metrics["seeds"]["dialogue"]["validation"]["accuracy"]
    assert spread["min"] <= spread["mean"] <= spread["max"]
    assert metrics["dialogue"]["validation"]["accuracy"] == spread["max"]
    assert "±" in (two_seeds / "MODEL_CARD.md").read_text()


def test_same_seed_gives_the_same_metrics_and_another_seed_others(tiny_classifier: Path, two_seeds: Path) -> None:
    """The tiny classifier is the same training with seed 0, without anything left beside its output."""
    alone, both = (json.loads((path / "metrics.json").read_text()) for path in (tiny_classifier, two_seeds))
    spread = both["seeds"]["splits"]["test"]["loss"]
    assert spread["min"] < spread["max"]
    # Sums over threads may end a bit apart.
    found = [pytest.approx(spread[end], rel=1e-4) for end in ("min", "max")]
    assert alone["splits"]["test"]["loss"] in found


def test_tensorboard_logs_hold_a_point_an_epoch(tiny_classifier: Path) -> None:
    (log,) = (tiny_classifier / "logs").iterdir()
    tags = [value.tag for event in tf.compat.v1.train.summary_iterator(str(log)) for value in event.summary.value]
    assert set(tags) >= {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_few_rows_teach_pretrained_weights_the_intents(quick_models: Path) -> None:
    """One layer of MiniLM, two epochs on a cut of the sample: far above always the largest class (0.24)."""
    metrics = json.loads((quick_models.parent / "classifier" / "metrics.json").read_text())
    assert metrics["splits"]["test"]["accuracy"] > 0.4


def test_importing_the_command_lines_does_not_silence_other_processes() -> None:
    """A model server that a test or another program starts would inherit the variable, and log nothing."""
    code = "import os, training.__main__, export.__main__; print(os.environ.get('TF_CPP_MIN_LOG_LEVEL'))"
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*QUICK, "--encoder", "nowhere"], "error: --encoder nowhere: neither a Hub handle"),
        (["fit", "--recipe", "fast", "--data", "sample"], "error: no recipe 'fast'"),
        (["fit", "--recipe", "quick", "--data", "nowhere"], "error: nowhere: no such file or directory"),
        (["evaluate", "--classifier", "nowhere", "--data", "sample"], "error: nowhere is no classifier"),
    ],
)
def test_errors_are_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1


def conversations(path: Path, *, splits: tuple[str, ...], intents: tuple[str, ...]) -> Path:
    turns = [{"text": f"{intent} please", "intent": intent, "role": "student"} for intent in intents]
    file = path / "wizard_of_tasks_diy_v1.0.json"
    file.write_text(json.dumps({split: {"data_split": split, "turns": turns} for split in splits}))
    return file


@pytest.mark.parametrize(
    ("splits", "intents", "message"),
    [
        (("train", "test"), INTENTS, "the data set has no validation split; give some conversations"),
        (("validation", "test"), INTENTS, "the data set has no train split"),
        (dataset.SPLITS, INTENTS[:-1], "the train split has no row of stop, so nothing could be learned of it"),
    ],
)
def test_data_that_cannot_be_learned_from_is_refused_and_the_old_classifier_stays(
    tiny_pair: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    splits: tuple[str, ...],
    intents: tuple[str, ...],
    message: str,
) -> None:
    data = conversations(tmp_path, splits=splits, intents=intents)
    kept = tmp_path / "classifier" / "classifier.json"
    kept.parent.mkdir()
    kept.write_text("{}")
    words = ["fit", "--recipe", "quick", "--encoder", str(tiny_pair), "--data", str(data)]
    assert main([*words, "--output", str(kept.parent)]) == 1
    assert message in capsys.readouterr().err
    assert kept.read_text() == "{}"


def test_loss_that_is_not_finite_stops_the_training_at_once(
    tiny_pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = BertEncoder(BertConfig(layers=1, hidden=16, heads=2), lambda name, shape: tf.fill(shape, math.nan))
    save_encoder(broken, tmp_path / "encoder")
    words = ["--encoder", str(tmp_path / "encoder"), "--preprocess", str(tiny_pair / "preprocess")]
    assert main([*QUICK, *words, "--output", str(tmp_path / "classifier")]) == 1
    assert "the loss is not finite after 1 batches of epoch 1; lower the learning rate" in capsys.readouterr().err
    assert not (tmp_path / "classifier").exists()
