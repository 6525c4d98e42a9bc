"""The section is made from the figures alone."""

from benchmarks.precision import report

FIGURES = {
    "command": "python -m benchmarks precision",
    "when": "2026-01-01",
    "machine": {"cores": 2, "processor": "P", "load_before": 0.1},
    "classifier": "classifiers/default",
    "rounds": 3,
    "seconds": 4,
    "splits": [
        {
            "split": "test",
            "rows": 1000,
            "float32": 0.8,
            "bfloat16": 0.799,
            "changed": 3,
            "largest_difference": 0.004,
        }
    ],
    "rates": {"float32": {"1": [300.0, 100.0, 200.0]}, "bfloat16, oneDNN ops": {"1": [400.0, 500.0, 600.0]}},
}


def test_says_what_changes_and_whether_it_is_allowed() -> None:
    text = report.markdown(FIGURES)
    assert "| test | 1,000 | 0.8000 | 0.7990 | 3 | 0.0040 |" in text
    assert "differs by 0.10 points at most; 0.2 are allowed: met" in text
    assert "| float32 | 200 |" in text
    assert "| bfloat16, oneDNN ops | 500 |" in text


def test_too_large_a_loss_is_said() -> None:
    worse = {**FIGURES["splits"][0], "bfloat16": 0.795}
    assert "**not met**" in report.markdown({**FIGURES, "splits": [worse]})
