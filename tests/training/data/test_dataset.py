"""The data set: what is read, what is dropped, and errors that name the place."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from training.data import dataset
from training.data.intents import INTENTS
from training.errors import DataError

# Shares of real dialogues; the sample keeps them within a few points, and at least 15 rows of every intent.
REAL_SHARES = {
    "request_next_step": 0.24,
    "return_next_step": 0.24,
    "ask_question_recipe_steps": 0.17,
    "answer_question_external_fact": 0.12,
    "answer_question_recipe_steps": 0.08,
    "ask_question_ingredients_tools": 0.07,
    "stop": 0.04,
    "return_list_ingredients_tools": 0.03,
}


def turn(**changes: Any) -> dict[str, Any]:
    return {"text": "What's next?", "intent": "request_next_step", "role": "student", "turn_counter": 1} | changes


def write(path: Path, turns: list[Any], split: Any = "train") -> Path:
    path.write_text(json.dumps({"c-1": {"document_url": "u", "data_split": split, "turns": turns}}))
    return path


def test_table_has_the_columns_of_the_contract(tmp_path: Path) -> None:
    file = write(tmp_path / "wizard_of_tasks_diy_v1.0.json", [turn(), turn(role="teacher", text="Sand it.")])
    loaded = dataset.load(file)
    assert loaded.table.to_dict("records")[1] == {
        "text": "Sand it.",
        "previous": "What's next?",
        "intent": "request_next_step",
        "role": "teacher",
        "split": "train",
        "domain": "diy",
        "conversation_id": "c-1",
        "turn": 1,
    }
    assert list(loaded.checksums) == [file.name]
    assert re.fullmatch("[0-9a-f]{64}", loaded.checksums[file.name])


def test_previous_text_is_that_of_the_turn_before_even_unlabelled(tmp_path: Path) -> None:
    turns = [
        turn(text="One."),
        turn(text="Two.", intent=None),
        turn(text="Three."),
        turn(text=None),
        turn(text="Five."),
    ]
    loaded = dataset.load(write(tmp_path / "wizard_of_tasks_diy_v1.0.json", turns))
    assert list(loaded.table["previous"]) == ["", "Two.", ""]


def test_training_on_one_domain_tests_on_the_others(tmp_path: Path) -> None:
    for domain in ("cooking", "diy"):
        conversations = {f"{domain}-{split}": {"data_split": split, "turns": [turn()]} for split in dataset.SPLITS}
        (tmp_path / f"wizard_of_tasks_{domain}_v1.0.json").write_text(json.dumps(conversations))
    loaded = dataset.load(tmp_path)
    crossed = loaded.trained_on("diy")
    assert sorted(crossed.table["conversation_id"]) == ["cooking-test", "diy-train", "diy-validation"]
    with pytest.raises(
        DataError, match="--domain baking: needs this and another domain; the data set has cooking, diy"
    ):
        loaded.trained_on("baking")
    with pytest.raises(DataError, match="the data set has cooking"):
        dataset.load(tmp_path / "wizard_of_tasks_cooking_v1.0.json").trained_on("cooking")


def test_directory_joins_both_domains(tmp_path: Path) -> None:
    write(tmp_path / "wizard_of_tasks_diy_v1.0.json", [turn()])
    write(tmp_path / "wizard_of_tasks_cooking_v1.0.json", [turn()], split="test")
    (tmp_path / "README.md").write_text("not data")
    loaded = dataset.load(tmp_path)
    assert sorted(loaded.table["domain"]) == ["cooking", "diy"]
    assert list(loaded.split("test")["domain"]) == ["cooking"]


def test_null_text_and_null_intent_are_dropped_and_counted(tmp_path: Path) -> None:
    turns = [turn(), turn(text=None), turn(intent=None), turn(text=None, intent=None)]
    loaded = dataset.load(write(tmp_path / "wizard_of_tasks_diy_v1.0.json", turns))
    assert (len(loaded.table), loaded.dropped) == (1, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "expected a JSON object of conversations"),
        ('{"c-1": []}', "conversation 'c-1': expected an object with a list `turns`"),
        ('{"c-1": {"turns": []}}', "conversation 'c-1': data_split is null; expected one of train, validation, test"),
        ('{"c-1": {"data_split": "dev", "turns": []}}', 'data_split is "dev"'),
        ('{"c-1": {"data_split": "train", "turns": ["hi"]}}', "'c-1', turn 1: expected an object with `text`"),
        ('{"c-1": {"data_split": "train", "turns": []}}', "no turn has both a text and an intent"),
    ],
)
def test_file_of_another_shape_is_refused_by_place(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "wizard_of_tasks_diy_v1.0.json"
    file.write_text(content)
    with pytest.raises(DataError, match=re.escape(message)) as refused:
        dataset.load(file)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"intent": "greet"}, 'turn 2: intent is "greet"; expected one of answer_question_external_fact'),
        ({"role": "chef"}, 'turn 2: role is "chef"; expected one of student, teacher'),
        ({"text": 7}, "turn 2: text must be a string or null, not 7"),
    ],
)
def test_turn_of_another_shape_is_refused_by_place(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    file = write(tmp_path / "wizard_of_tasks_diy_v1.0.json", [turn(), turn(**changes)])
    with pytest.raises(DataError, match=re.escape(f"{file}: conversation 'c-1', {message}")):
        dataset.load(file)


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or directory"):
        dataset.load(tmp_path / "absent")
    with pytest.raises(DataError, match=re.escape("no file named wizard_of_tasks_<domain>_<version>.json")):
        dataset.load(tmp_path)


def test_sample_is_as_real_dialogues_are() -> None:
    table = dataset.load(dataset.SAMPLE).table
    assert len(table) >= 500
    counts = table["intent"].value_counts()
    assert set(counts.index) == set(INTENTS)
    assert counts.min() >= 15
    for intent, share in REAL_SHARES.items():
        assert counts[intent] / len(table) == pytest.approx(share, abs=0.03), intent
    assert set(table["domain"]) == {"cooking", "diy"}
    assert set(table["role"]) == set(dataset.ROLES)
    for split in dataset.SPLITS:
        assert set(table[table["split"] == split]["intent"]) == set(INTENTS), split


def test_sample_has_no_two_texts_alike() -> None:
    table = dataset.load(dataset.SAMPLE).table
    normalised = table["text"].str.lower().str.replace(r"[^a-z0-9]+", " ", regex=True).str.strip()
    assert list(table[normalised.duplicated()]["text"]) == []


def test_sample_conversations_stay_in_one_split() -> None:
    table = dataset.load(dataset.SAMPLE).table
    assert table.groupby("conversation_id")["split"].nunique().max() == 1
