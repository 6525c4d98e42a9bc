"""The gateway's section from figures written by hand."""

import re
from typing import Any

from benchmarks.gateway import report


def figures() -> dict[str, Any]:
    """What `command` writes, small, without what `results` adds."""

    def one(rate: float, gateway: float) -> dict[str, Any]:
        return {"rate": rate, "p50": 1.0, "p90": 2.0, "p99": 3.0, "gateway": gateway, "model_server": 3.0, "failed": 0}

    def scene(name: str, connections: int, p99: float) -> dict[str, Any]:
        each = {"answered": 4, "refused": 2, "else": {"500": 1}, "p50_ms": 1.0, "p99_ms": p99, "refused_p99_ms": 0.5}
        return {"scene": name, "connections": connections, "rounds": [each, each]}

    def profiled(connections: int, cpu_ms: float) -> dict[str, Any]:
        parts = [
            {"name": "gRPC client", "share": 0.75, "functions": [["gateway/upstream/calls.py:Calls.make", 0.5]]},
            {"name": "metrics", "share": 0.25, "functions": []},
        ]
        return {
            "connections": connections,
            "cpu_ms": cpu_ms,
            "failed": 0,
            "samples": 99,
            "has_own_core": True,
            "parts": parts,
        }

    return {
        "path": "/predict",
        "seconds": 5,
        "load": [
            {"gateway": "combined", "connections": 1, "rounds": [one(100, 1.0), one(300, 1.0), one(200, 1.0)]},
        ],
        "profile": [profiled(1, 2.0), profiled(32, 1.0)],
        "overload": [
            scene("one", 1, 2.0),
            scene("full", 16, 4.0),
            scene("patient", 64, 8.0),
            scene("pressing", 64, 6.0),
        ],
        "memory_mib": [50.0, 51.25],
    }


def written() -> dict[str, Any]:
    machine = {"cores": 2, "processor": "One", "memory_gib": 4.0, "load_before": 0.5}
    return figures() | {"when": "2026-01-02", "command": "python -m benchmarks gateway", "machine": machine}


def test_the_section_has_the_medians_and_shares() -> None:
    text = report.markdown(written())
    assert text.startswith("## The gateway\n")
    assert "| 1 | combined | 200 (100 to 300) | 1.0 | 2.0 | 3.0 | 1.00 | 3.00 | 25% | 0 |" in text
    assert "| gRPC client | 75.0% | 1.500 | `gateway/upstream/calls.py:Calls.make` 50.0% |" in text
    assert "| patient | 64 | 8 | 1.0 | 8.0 | 4 | 0.5 | 2 |" in text
    assert (
        "patient: p99 of the answered 2.0 times that of as many as are taken, 4.0 times that of one at a time" in text
    )
    assert "50.0, 51.2" in text


def test_without_a_profile_the_section_says_why(tmp_path) -> None:
    known = written()
    del known["profile"]
    text = report.markdown(known | {"no_profile": "py-spy may not look"})
    assert "Not measured: py-spy may not look." in text
    assert "![" not in text
    report.pictures(known, tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_picture_that_is_named_is_drawn(tmp_path) -> None:
    report.pictures(written(), tmp_path)
    assert re.findall(r"\(images/(.+?)\)", report.markdown(written())) == [path.name for path in tmp_path.iterdir()]
