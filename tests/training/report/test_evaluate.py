"""The figures of a split."""

import msgspec
import pytest

from tests.training.hand import LABELS, Stand, answers, dataset, rows
from training.report.evaluate import Evaluation, Group, IntentFigures, evaluate, measure
from training.report.metrics import as_json


def test_figures_of_a_split_by_hand() -> None:
    table = rows(["ask", "ask", "ask", "next"], conversation_id=["a", "a", "b", "b"])
    found = measure(answers(table, ["ask", "ask", "next", "next"], confidence=0.75))
    assert (found.rows, found.conversations, found.accuracy) == (4, 2, 0.75)
    assert found.per_class["ask"] == IntentFigures(1, 2 / 3, 0.8, 3)
    assert found.per_class["stop"] == IntentFigures(0, 0, 0, 0)
    # `stop` does not occur and does not count.
    assert found.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert found.confusion == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert found.ece == pytest.approx(0)
    assert found.accuracy_interval == (0.5, 1)


def test_groups_by_role_domain_and_length() -> None:
    words = [8, 9, 16, 17]
    table = rows(
        ["ask"] * 4,
        role=["student", "teacher", "student", "student"],
        domain=["diy", "diy", "cooking", "cooking"],
        text=[" ".join(["word"] * count) for count in words],
    )
    found = measure(answers(table, ["ask", "stop", "ask", "stop"]))
    assert found.by_role == {
        "student": Group(3, 2 / 3),
        "teacher": Group(1, 0),
    }
    assert found.by_domain == {"cooking": Group(2, 0.5), "diy": Group(2, 0.5)}
    assert list(found.by_length.items()) == [
        ("1 to 8 words", Group(1, 1)),
        ("9 to 16 words", Group(2, 0.5)),
        ("17 to 32 words", Group(1, 0)),
    ]


def test_context_counts_only_where_asked_for() -> None:
    data = dataset(rows(["stop", "next"], role=["teacher", "student"]))
    assert evaluate(Stand(), data)["validation"].accuracy == 0.5
    assert evaluate(Stand(), data, with_context=True)["validation"].accuracy == 1


def test_figures_are_read_back_as_they_were_written() -> None:
    found = evaluate(Stand(), dataset(rows(list(LABELS))))
    assert msgspec.json.decode(as_json(found), type=dict[str, Evaluation]) == found
    assert found["validation"].accuracy_interval is None
