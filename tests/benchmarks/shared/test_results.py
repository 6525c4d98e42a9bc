"""Result files: what is added, and that they are whole or not there."""

import json
import os
import sys
from datetime import date

import pytest

from benchmarks.shared import results


def test_a_result_says_when_and_on_what_it_was_measured(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["__main__.py", "gateway", "--path", "/a b"])
    path = tmp_path / "new" / "gateway.json"
    results.write(path, "gateway", {"rate": 12.5})
    figures = results.read(path)
    assert figures["benchmark"] == "gateway"
    assert figures["rate"] == 12.5
    assert date.fromisoformat(figures["when"]) <= date.today()
    assert figures["command"] == "python -m benchmarks gateway --path '/a b'"
    machine = figures["machine"]
    assert machine["cores"] == len(os.sched_getaffinity(0))
    assert machine["memory_gib"] > 0
    assert machine["load_before"] >= 0
    assert machine["processor"]


def test_a_command_can_be_given(tmp_path) -> None:
    results.write(tmp_path / "a.json", "a", {}, "python -m benchmarks a")
    assert results.read(tmp_path / "a.json")["command"] == "python -m benchmarks a"


def test_figures_that_are_no_json_leave_the_old_file(tmp_path) -> None:
    path = tmp_path / "a.json"
    results.write(path, "a", {"rate": 1})
    with pytest.raises(TypeError):
        results.write(path, "a", {"rate": object()})
    assert results.read(path)["rate"] == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["[]", json.dumps({"rate": 1}), "{"])
def test_what_is_no_result_is_refused(tmp_path, text) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"a\.json"):
        results.read(tmp_path / "a.json")
