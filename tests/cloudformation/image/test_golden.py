"""The golden questions, asked of a real gateway and model server with a model whose answers are known."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudformation.image.instance.errors import GoldenError
from cloudformation.image.instance.golden import Golden, ask_golden
from tests.gateway.tiny_model import TinyModel
from tests.servers import ROOT, service
from training.data.intents import INTENTS

MODEL = TinyModel(tuple(f"intent_{number}" for number in range(11)))
VERSION = 7
TEXTS = ("one", "three", "fifteen")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The gateway's."""
    models = tmp_path_factory.mktemp("golden")
    (models / "intent").mkdir()
    MODEL.publish(models / "intent", VERSION)
    with service(models, models / "state") as running:
        yield f"http://127.0.0.1:{running.http_port}"


def ask(url: str, folder: Path, wrong: int = 0, version: int = VERSION, **changed: Any) -> list[str]:
    """What is said about the first texts with so many of them expected to be something else."""
    questions = [
        {"text": text, "intents": ["something else" if number < wrong else MODEL.intent(text)]}
        for number, text in enumerate(TEXTS)
    ]
    (folder / "golden.json").write_text(json.dumps({"least": 2, "questions": questions, **changed}))
    (folder / "RELEASE.json").write_text(json.dumps({"model_version": version}))
    return list(ask_golden(url, folder / "golden.json", folder / "RELEASE.json"))


def test_good_answers_are_counted(url: str, tmp_path: Path) -> None:
    said = ask(url, tmp_path, wrong=1)
    assert "2 of 3 golden questions are answered well (at least 2)" in said


def test_too_few_good_answers_name_the_others(url: str, tmp_path: Path) -> None:
    with pytest.raises(GoldenError, match=f"1 of 3 good answers, 2 are needed: 'one' is {MODEL.intent('one')}; "):
        ask(url, tmp_path, wrong=2)


def test_another_version_than_the_releases_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(GoldenError, match="version 7, the release is of 8"):
        ask(url, tmp_path, version=8)


def test_a_question_that_cannot_be_asked_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(GoldenError, match="not scored"):
        ask(url, tmp_path, questions=[{"text": text, "intents": []} for text in ("one", "x" * 5000)])


def test_the_shipped_questions_can_be_answered() -> None:
    golden = Golden.read(ROOT / "cloudformation/image/golden.json")
    assert 0 < golden.least <= len(golden.questions)
    for text, intents in golden.questions:
        assert text
        assert intents
        assert intents <= set(INTENTS)
