"""The documents name tests as proofs; each of them exists."""

import re

import pytest

from tests.servers import ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("document", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_every_test_that_is_named_exists(document) -> None:
    for file, test in NAMED.findall(document.read_text()):
        assert (ROOT / file).exists(), file
        assert not test or re.search(rf"def {test}\(", (ROOT / file).read_text()), f"{file}::{test}"


def test_the_comparison_names_a_proof_in_every_row() -> None:
    rows = [line for line in (ROOT / "docs/comparison.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert all(NAMED.search(row) for row in rows)


def table_rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the Markdown table that begins with this heading."""
    lines = text[text.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_figures_of_the_classifiers_are_those_that_were_measured() -> None:
    """The benchmark prints a table, which is kept as it is; docs/classifier.md shows all of it, README two columns."""
    heading = "| classifier | accuracy"
    measured = table_rows((ROOT / "benchmarks/results/classifiers.md").read_text(), heading)
    assert table_rows((ROOT / "docs/classifier.md").read_text(), heading) == measured
    shown = table_rows((ROOT / "README.md").read_text(), heading)
    assert len(shown) > 3
    assert all(row in [whole[:3] for whole in measured] for row in shown)
