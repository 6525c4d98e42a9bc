"""The gateway of two checkouts in one run."""

import shutil

import pytest

from benchmarks.__main__ import main
from tests.servers import ROOT


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_two_checkouts_are_compared_and_nothing_is_written(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(ROOT)
    output = tmp_path / "gateway.json"
    words = ["gateway", "--against", str(ROOT), "--rounds", "1", "--seconds", "1", "--output", str(output)]
    assert main(words) == 0
    rows = [line.split(" | ")[:2] for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows == [[f"| {count}", name] for count in (1, 32) for name in ("this checkout", str(ROOT))]
    assert not output.exists()
