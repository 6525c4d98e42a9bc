"""`python -m training`: what fit and evaluate write and print, and that nothing is lost when they fail."""

import json
from pathlib import Path

import pytest

from training.__main__ import main
from training.intents import INTENTS

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


def test_evaluate_agrees_with_fit(tiny_classifier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--classifier", str(tiny_classifier), "--data", "sample", "--json"]) == 0
    evaluated = json.loads(capsys.readouterr().out)
    assert evaluated == json.loads((tiny_classifier / "metrics.json").read_text())["splits"]
    assert main(["evaluate", "--classifier", str(tiny_classifier), "--data", "sample"]) == 0
    assert f"| test | {evaluated['test']['rows']} |" in capsys.readouterr().out


def test_same_seed_gives_the_same_metrics_and_another_seed_others(
    tiny_classifier: Path, tiny_pair: Path, tmp_path: Path
) -> None:
    def splits(seed: str) -> dict[str, object]:
        output = tmp_path / seed
        assert main([*QUICK, "--encoder", str(tiny_pair), "--seed", seed, "--output", str(output)]) == 0
        return json.loads((output / "metrics.json").read_text())["splits"]

    assert splits("0") == json.loads((tiny_classifier / "metrics.json").read_text())["splits"]
    assert splits("1") != splits("0")


def test_few_rows_teach_pretrained_weights_the_intents(tmp_path: Path) -> None:
    """One layer of MiniLM, two epochs on the sample: far above always the largest class (0.24)."""
    words = ["fit", "--recipe", "quick", "--encoder", "minilm:1", "--epochs", "2", "--data", "sample"]
    assert main([*words, "--output", str(tmp_path / "learned")]) == 0
    metrics = json.loads((tmp_path / "learned" / "metrics.json").read_text())
    assert metrics["splits"]["test"]["accuracy"] > 0.6


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


def test_data_without_validation_is_refused_and_the_old_classifier_stays(tiny_pair: Path, tmp_path: Path) -> None:
    turn = {"text": "What's next?", "intent": "request_next_step", "role": "student", "turn_counter": 1}
    data = tmp_path / "wizard_of_tasks_diy_v1.0.json"
    data.write_text(json.dumps({"c-1": {"data_split": "train", "turns": [turn]}}))
    kept = tmp_path / "classifier" / "classifier.json"
    kept.parent.mkdir()
    kept.write_text("{}")
    words = ["fit", "--recipe", "quick", "--encoder", str(tiny_pair), "--data", str(data)]
    assert main([*words, "--output", str(kept.parent)]) == 1
    assert kept.read_text() == "{}"
