"""The report: metrics, model card, pictures and lists, and the choice among seeds."""

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from tests.training.hand import Stand, dataset, rows
from training.fit import recipe
from training.report import metrics as metrics_file
from training.report import report, tables
from training.report.assessment import Assessment, assess
from training.report.metrics import TEXT_ALONE, Data, Origin

TEXTS = ["what | is\nit?", "null", "go on", "thanks"]


def assessment(context: str) -> Assessment:
    """Six conversations a split; `null` and the thanks are labelled in two ways."""
    columns = {
        "text": TEXTS * 6,
        "role": ["student", "student", "student", "teacher"] * 6,
        "conversation_id": [f"c-{row // 4}" for row in range(24)],
    }
    intents = ["next", "stop", "next", "stop"] * 3 + ["ask", "next", "next", "next"] * 3
    splits = [rows(intents, split=split, **columns) for split in ("train", "validation", "test")]
    return assess(Stand(context), dataset(*splits))


@pytest.fixture(scope="module")
def origin() -> Origin:
    return Origin(
        data=Data(72, {"train": 24, "validation": 24, "test": 24}, ["cooking"], 3, {"cooking.json": "0" * 64}),
        encoder="minilm:3",
        recipe_name="default",
        recipe=recipe.load("default"),
        parameters=1_234_567,
        minutes=1.5,
        epoch=2,
        history={"loss": [2.0, 1.0], "accuracy": [0.4, 0.6], "val_loss": [2.1, 1.2], "val_accuracy": [0.3, 0.5]},
        versions=report.versions(),
    )


@pytest.fixture(scope="module")
def written(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report")
    report.write(directory, origin, assessment("previous"))
    return directory


def test_metrics_hold_figures_and_origin(written: Path, origin: Origin) -> None:
    metrics = json.loads((written / "metrics.json").read_text())
    assert {key: metrics[key] for key in asdict(origin)} == asdict(origin)
    assert metrics["splits"]["test"]["rows"] == metrics["dialogue"]["test"]["rows"] == 24
    assert metrics["versions"].keys() >= {"tensorflow", "scikit-learn"}


def test_every_picture_of_the_card_is_there(written: Path) -> None:
    shown = set(re.findall(r"\]\(([\w-]+\.png)\)", (written / "MODEL_CARD.md").read_text()))
    assert shown == {file.name for file in written.glob("*.png")}
    assert shown > {"confusion-test.png", "confusion-test-dialogue.png", "reliability-test.png", "coverage.png"}
    for name in shown:
        assert (written / name).read_bytes().startswith(b"\x89PNG")


def test_tables_of_the_card_are_whole(written: Path) -> None:
    """As many cells in each line as its heading has, whatever marks the texts contain."""
    tables = re.findall(r"(?:^\|.*\n)+", (written / "MODEL_CARD.md").read_text(), re.MULTILINE)
    assert len(tables) >= 10
    for table in tables:
        assert len({len(re.split(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


def test_card_names_baselines_views_and_threshold(written: Path) -> None:
    card = (written / "MODEL_CARD.md").read_text()
    for row in ("| majority |", "| TF-IDF |", "| **text alone** |", "| **with context** |", "| text alone | test |"):
        assert row in card
    assert "There is none for text alone" in card
    assert "what \\| is it?" in card
    assert "seed 0, 1,234,567 trainable parameters" in card


def test_card_without_context_does_not_speak_of_it(origin: Origin, tmp_path: Path) -> None:
    report.write(tmp_path, origin, assessment("none"))
    assert "**with context**" not in (tmp_path / "MODEL_CARD.md").read_text()
    assert not list(tmp_path.glob("*-dialogue.png"))


def test_lists_hold_the_texts_as_they_are(written: Path) -> None:
    errors = pd.read_csv(written / "review.csv", keep_default_na=False)
    assert set(errors["text"]) <= set(TEXTS)
    assert "null" in set(errors["text"])
    conflicts = pd.read_csv(written / "conflicts.csv", keep_default_na=False)
    assert set(conflicts["text"]) == {"what | is\nit?", "null", "thanks"}


def test_best_seed_is_kept_and_knows_of_the_others(written: Path, tmp_path: Path) -> None:
    for seed, accuracy in ((0, 0.5), (1, 0.7), (2, 0.6)):
        directory = shutil.copytree(written, tmp_path / str(seed))
        metrics = json.loads((directory / "metrics.json").read_text())
        metrics["recipe"]["seed"] = seed
        metrics["dialogue"]["validation"]["accuracy"] = accuracy
        (directory / "metrics.json").write_text(json.dumps(metrics))
    directories = [tmp_path / str(seed) for seed in range(3)]
    for _ in range(2):  # The second time is that of a command that was interrupted at its end.
        chosen, kept = report.best(directories)
        assert (chosen, kept.recipe.seed) == (tmp_path / "1", 1)
    metrics = json.loads((tmp_path / "1" / "metrics.json").read_text())
    assert metrics["seeds"]["dialogue"]["validation"]["accuracy"]["mean"] == pytest.approx(0.6)
    card = (tmp_path / "1" / "MODEL_CARD.md").read_text()
    assert card.count("with the seeds 0, 1, 2;") == 1
    assert card.index("## How good it is") < card.index("## Other seeds") < card.index("## When to trust it")
    assert "Other seeds" not in (tmp_path / "0" / "MODEL_CARD.md").read_text()


def test_only_seed_is_kept_as_it_is(written: Path) -> None:
    before = (written / "metrics.json").read_text()
    assert report.best([written])[0] == written
    assert (written / "metrics.json").read_text() == before


def test_overview_shows_one_view_or_both(written: Path) -> None:
    views = metrics_file.read(written).views
    both = tables.overview(views).splitlines()
    assert [line.split(" | ")[0] for line in both[2:]] == [
        "| train",
        "| validation",
        "| test",
        "| train, with context",
        "| validation, with context",
        "| test, with context",
    ]
    assert tables.overview({TEXT_ALONE: views[TEXT_ALONE]}).splitlines() == both[:5]
