"""What wrk says."""

import pytest

from benchmarks.shared import wrk

SAID = """Running 8s test @ http://127.0.0.1:5000
FIGURES {"requests": 80, "seconds": 8.0, "failed": 1, "mean": 2000.0, "p50": 1.0, "p90": 2.0, "p99": 3.0}
"""


def test_the_rate_is_what_was_counted() -> None:
    load = wrk.parse(SAID, cpu_seconds=0.5)
    assert (load.requests, load.rate, load.percentiles, load.failed, load.cpu_seconds) == (80, 10, (1, 2, 3), 1, 0.5)


def test_few_answers_give_the_rate_by_their_latency() -> None:
    assert wrk.parse(SAID, 0.5, connections=32).rate == 16


def test_no_answer_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="not one request"):
        wrk.parse(SAID.replace("80", "0"), 0.5)
