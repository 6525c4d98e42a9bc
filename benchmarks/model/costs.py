"""Milliseconds a row over batch size and length, and rows a second of utterances as they come."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.model.settings import FIXED, Setting
from benchmarks.shared.model_process import Batches, ModelProcess
from benchmarks.shared.texts import cut, words

BATCHES = (1, 2, 4, 8, 16, 32, 64)
LENGTHS = (8, 16, 24, 32, 48, 64)
# Sizes for utterances as they come.
UTTERANCE_BATCHES = (1, 8, 32, 64)
UTTERANCES = 128
ROUNDS = 3
# Of every cell in every round. An expensive cell takes longer and is run once a round.
CELL_SECONDS = 0.08
UTTERANCE_SECONDS = 0.3
# [CLS] and [SEP].
SPECIAL_PIECES = 2

Say = Callable[[str], None]
Processes = Mapping[Setting, ModelProcess]
Job = TypeVar("Job")


@dataclass(frozen=True)
class Figure:
    """The median of the rounds, and the lowest and highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Figure":
        """Over the rounds."""
        return cls(statistics.median(values), min(values), max(values))

    def as_json(self) -> dict[str, float]:
        """Rounded to what the clock can tell."""
        return {name: round(value, 5) for name, value in vars(self).items()}


def row(pieces: int) -> str:
    """A text of this many word pieces, [CLS] and [SEP] included."""
    return words(pieces - SPECIAL_PIECES)


def measure_cells(workers: Processes, limit: int, say: Say) -> list[dict[str, object]]:
    """Rows that are all alike: every batch size with every length up to `limit`, every setting by turns.

    Returns: setting, batch, length and ms a row of each.
    """
    shapes = [(batch, length) for length in LENGTHS if length <= limit for batch in BATCHES]
    jobs = {shape: [[row(shape[1])] * shape[0]] for shape in shapes}
    found = _rounds(workers, jobs, CELL_SECONDS, lambda shape: f"batch {shape[0]} of length {shape[1]}", say)
    return [
        {**setting.as_json(), "batch": batch, "length": length}
        | Figure.of([passed / batch for passed in found[setting, (batch, length)]]).as_json()
        for setting in workers
        for batch, length in shapes
    ]


def measure_utterances(workers: Processes, texts: Sequence[str], say: Say) -> list[dict[str, object]]:
    """The same utterances for every setting, in batches as they come.

    Returns: setting, batch and rows a second of each.
    """
    jobs: dict[int, Batches] = {size: cut(texts[:UTTERANCES], size) for size in UTTERANCE_BATCHES}
    found = _rounds(workers, jobs, UTTERANCE_SECONDS, lambda size: f"utterances in batches of {size}", say)
    return [
        {**setting.as_json(), "batch": size}
        | Figure.of([len(batches) * size * 1000 / passed for passed in found[setting, size]]).as_json()
        for setting in workers
        for size, batches in jobs.items()
    ]


def measure_agreement(workers: Processes, texts: Sequence[str], say: Say) -> list[dict[str, object]]:
    """How far each setting's probabilities are from those of fixed 128, and in how many rows the label is another."""
    batches = [texts[start : start + 32] for start in range(0, len(texts), 32)]
    answers = {}
    for setting, worker in workers.items():
        say(f"probabilities of {len(texts)} utterances: {setting.name}")
        answers[setting] = worker.answer(batches)
    base = answers[next(setting for setting in workers if setting.policy == FIXED)]
    return [{**setting.as_json(), "rows": len(texts), **difference(base, rows)} for setting, rows in answers.items()]


def difference(base: Sequence[Sequence[float]], rows: Sequence[Sequence[float]]) -> dict[str, float]:
    """Between probabilities of the same utterances: the largest, and the number of other labels."""
    pairs = list(zip(base, rows, strict=True))
    return {
        "largest": max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True)),
        "other_labels": sum(one.index(max(one)) != other.index(max(other)) for one, other in pairs),
    }


def _rounds(
    workers: Processes,
    jobs: Mapping[Job, Batches],
    seconds: float,
    name: Callable[[Job], str],
    say: Say,
) -> dict[tuple[Setting, Job], list[float]]:
    """Milliseconds of a pass over each job's batches, in each round."""
    found: dict[tuple[Setting, Job], list[float]] = {}
    for number in range(ROUNDS):
        for key, batches in jobs.items():
            say(f"round {number + 1} of {ROUNDS}: {name(key)}")
            for setting, worker in _turned(workers, number):
                times = worker.time(batches, seconds)
                # A shape's first time costs more. Where one pass takes the whole time, the median of the rounds helps.
                passed = statistics.median(times[1:] or times)
                found.setdefault((setting, key), []).append(passed)
    return found


def _turned(workers: Processes, number: int) -> Iterator[tuple[Setting, ModelProcess]]:
    """Each round begins with another one."""
    order = list(workers.items())
    place = number * len(order) // ROUNDS
    yield from order[place:] + order[:place]
