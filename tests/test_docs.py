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
