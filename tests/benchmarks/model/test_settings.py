"""The processes that run the model, the ways to pad, and what is computed from their answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.model import costs, shapes
from benchmarks.model.costs import Processes
from benchmarks.model.settings import FIXED, LONGEST, MULTIPLE, OURS, Setting, running
from benchmarks.shared.model_process import ModelProcess, ModelProcessError
from benchmarks.shared.texts import cut

TEXTS = ["", "pasta", "How long do I boil the pasta?", "Crème brûlée, s'il vous plaît " * 3, "nail " * 100]
SETTINGS = [Setting(FIXED, 1), Setting(LONGEST, 1), Setting(MULTIPLE, 2), Setting(OURS, 1, onednn=True)]


@pytest.fixture(scope="module")
def exported(tiny_classifier: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from benchmarks.model import policies
    from training.fit import classifier

    folder = tmp_path_factory.mktemp("exported")
    policies.write(classifier.load(tiny_classifier), folder)
    return folder


@pytest.fixture(scope="module")
def workers(exported: Path) -> Iterator[dict[Setting, ModelProcess]]:
    with running(SETTINGS, exported) as started:
        yield started


def test_every_way_to_pad_answers_as_the_classifier_does(workers: Processes, tiny_classifier: Path) -> None:
    from training.fit import classifier

    expected = classifier.load(tiny_classifier).logits(TEXTS)
    for worker in workers.values():
        answers = worker.answer([TEXTS[:2], TEXTS[2:]])
        assert len(answers) == len(TEXTS)
        for row, logits in zip(answers, expected, strict=True):
            assert sum(row) == pytest.approx(1, abs=1e-5)
            assert row.index(max(row)) == logits.argmax()


def test_the_ways_agree_within_rounding(workers: Processes) -> None:
    said: list[str] = []
    for each in costs.measure_agreement(workers, TEXTS, said.append):
        assert each["rows"] == len(TEXTS)
        assert each["other_labels"] == 0
        assert each["largest"] < 1e-5
    assert len(said) == len(SETTINGS)


def test_passes_are_timed(workers: Processes) -> None:
    worker = workers[SETTINGS[0]]
    assert len(worker.time([TEXTS], 0)) == 1
    several = worker.time([["pasta"]], 0.2)
    assert len(several) > 1
    assert all(passed > 0 for passed in several)


def test_the_rate_is_of_all_cores_together(workers: Processes) -> None:
    found = workers[SETTINGS[0]].rate([["pasta"], ["salt"]], 0.2)
    assert found.rows > 0
    assert found.rate > 0
    assert 0 < found.p50 <= found.p90 <= found.p99


def test_a_process_that_ends_is_an_error(exported: Path) -> None:
    with (
        running([Setting("longest", 1)], exported) as started,
        pytest.raises(ModelProcessError, match="ended with status"),
    ):
        # A batch must be a list.
        next(iter(started.values())).time([[None]], 0)  # type: ignore[list-item]


def test_the_lengths_of_texts_are_those_that_the_classifier_reads(tiny_classifier: Path) -> None:
    from benchmarks.model import policies
    from training.fit import classifier

    loaded = classifier.load(tiny_classifier)
    limit = loaded.description.sequence_length
    assert policies.lengths(loaded, [costs.row(8), costs.row(limit), "nail " * 200, ""]) == [8, limit, limit, 2]


def test_shapes_are_distinct_and_fill_the_steps() -> None:
    found = {(rows, length) for rows in shapes.ROWS for length in shapes.LENGTHS}
    assert len(found) == 480
    assert len(found) % shapes.STEP == 0


def test_batches_are_full() -> None:
    assert cut(["a", "b", "c", "d", "e"], 2) == [["a", "b"], ["c", "d"]]


def test_difference_finds_the_largest_and_the_other_labels() -> None:
    base = [[0.5, 0.25, 0.25], [0.1, 0.9, 0.0]]
    other = [[0.25, 0.5, 0.25], [0.1, 0.8, 0.1]]
    assert costs.difference(base, other) == {"largest": 0.25, "other_labels": 1}
    assert costs.difference(base, base) == {"largest": 0, "other_labels": 0}
