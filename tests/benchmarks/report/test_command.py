"""docs/performance.md is made of the result files, and nothing else can be in it."""

import json
import shutil

import pytest

from benchmarks.__main__ import main
from benchmarks.shared import results
from tests.benchmarks.gateway.test_report import figures
from tests.servers import ROOT


@pytest.fixture
def measured(tmp_path):
    """A folder with one result, and where the document goes."""
    results.write(tmp_path / "results" / "gateway.json", "gateway", figures(), "python -m benchmarks gateway")
    (tmp_path / "docs").mkdir()
    return ["report", "--results", str(tmp_path / "results"), "--document", str(tmp_path / "docs" / "performance.md")]


def test_the_document_is_what_the_committed_results_give(monkeypatch, capsys) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["report", "--check"]) == 0, capsys.readouterr().err


def test_writes_a_section_for_each_result_with_its_pictures(measured, tmp_path) -> None:
    assert main(measured) == 0
    page = (tmp_path / "docs" / "performance.md").read_text()
    assert page.startswith("# Performance\n")
    assert "| patient | 64 | 8 | 4 | 2 |" in page
    text = (tmp_path / "docs" / "performance-appendix.md").read_text()
    assert text.index("## The gateway") < text.index("## What each setting does")
    assert "## Training" not in text
    assert (tmp_path / "docs/images/performance-gateway-profile.png").read_bytes().startswith(b"\x89PNG")
    assert main([*measured, "--check"]) == 0


def test_check_notices_another_result_and_writes_nothing(measured, tmp_path, capsys) -> None:
    main(measured)
    document, result = tmp_path / "docs" / "performance-appendix.md", tmp_path / "results" / "gateway.json"
    before = document.read_text()
    changed = json.loads(result.read_text())
    changed["load"][0]["rounds"][0]["rate"] += 1000
    result.write_text(json.dumps(changed))
    assert main([*measured, "--check"]) == 1
    assert "run `python -m benchmarks report`" in capsys.readouterr().err
    assert document.read_text() == before


def test_check_notices_a_missing_picture(measured, tmp_path, capsys) -> None:
    main(measured)
    shutil.rmtree(tmp_path / "docs/images")
    assert main([*measured, "--check"]) == 1
    assert "performance-gateway-profile.png" in capsys.readouterr().err


def test_without_results_only_the_hand_written_part(tmp_path) -> None:
    assert main(["report", "--results", str(tmp_path), "--document", str(tmp_path / "performance.md")]) == 0
    assert "## The gateway" not in (tmp_path / "performance-appendix.md").read_text()


def test_the_same_measured_of_something_else_has_a_section_of_its_own(measured, tmp_path) -> None:
    command = "python -m benchmarks gateway --path /v1/predict"
    results.write(tmp_path / "results" / "gateway-v1.json", "gateway", figures(), command)
    assert main(measured) == 0
    text = (tmp_path / "docs" / "performance-appendix.md").read_text()
    assert text.count("## The gateway") == 2
    assert command in text


def test_a_result_under_another_name_is_refused(measured, tmp_path, capsys) -> None:
    (tmp_path / "results" / "gateway.json").rename(tmp_path / "results" / "training.json")
    assert main(measured) == 1
    assert "measure `training` again" in capsys.readouterr().err
