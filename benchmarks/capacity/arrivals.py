"""When requests arrive: a rate for every second of a trace, and instants drawn from it.

A file of arrivals is CSV with the header `seconds,requests`. Each line names a second since the beginning (0 first,
then ascending) and the requests that arrive from it until the next line's; the last line lasts as long as the one
before.
"""

import csv
import itertools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.capacity.errors import TraceError

Array = np.ndarray
HEADER = ["seconds", "requests"]
DAY = 86_400
NIGHT = 0.25
"""Of the peak's rate: the lowest of the daily curve. Assumed."""
PEAK_HOUR, STEP_HOUR = 19, 7
"""Assumed: people cook in the evening; a campaign or a timer brings many at once in the morning."""
STEP, STEP_SECONDS = 0.15, 2 * 3600
"""Of the peak's rate, on top of the curve, all at once."""


@dataclass(frozen=True)
class Trace:
    """Expected requests in each second, float64 [seconds]."""

    name: str
    rates: Array

    @property
    def busiest(self) -> int:
        """The second in the middle of the busiest ten minutes."""
        return int(np.argmax(_mean(self.rates, min(600, len(self.rates)))))

    @property
    def steepest(self) -> int:
        """The second in which the ten minutes with the largest rise begin."""
        smooth = _mean(self.rates, min(60, len(self.rates)))
        span = min(600, len(smooth) - 1)
        return int(np.argmax(smooth[span:] - smooth[: len(smooth) - span]))


def constant(rate: float, seconds: int) -> Trace:
    """The same rate all the time."""
    return Trace(f"constant, {rate:g} a second", np.full(seconds, float(rate)))


def daily(peak: float) -> Trace:
    """A day: a sinusoid between the night's share and the peak, and a step in the morning."""
    seconds = np.arange(DAY)
    swing = (1 + np.cos((seconds / 3600 - PEAK_HOUR) * 2 * math.pi / 24)) / 2
    share = NIGHT + (1 - NIGHT) * swing
    begin = STEP_HOUR * 3600
    share[begin : begin + STEP_SECONDS] += STEP
    return Trace(f"a day with a peak of {peak:g} a second", share * peak)


def read(path: Path) -> Trace:
    """The trace in a file.

    Raises:
        TraceError: it cannot be read, or a line is not as described above; names the line.
    """
    try:
        with path.open(newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TraceError(
            f"{path}: cannot be read ({error}); give a CSV file with the header seconds,requests"
        ) from None
    if not lines or [name.strip() for name in lines[0]] != HEADER:
        raise TraceError(f"{path}:1: the first line must be seconds,requests")
    if len(lines) < 3:
        raise TraceError(f"{path}: two lines of figures are the least; the last one lasts as long as the one before it")
    rows = [_row(path, number, line) for number, line in enumerate(lines[1:], 2)]
    starts = [start for start, _ in rows]
    if starts[0] != 0:
        raise TraceError(f"{path}:2: the first second must be 0, not {starts[0]}")
    lengths = [after - start for start, after in itertools.pairwise(starts)]
    for number, length in enumerate(lengths, 3):
        if length <= 0:
            raise TraceError(f"{path}:{number}: seconds must ascend, {starts[number - 2]} does not")
    lengths.append(lengths[-1])
    rates = [np.full(length, requests / length) for (_, requests), length in zip(rows, lengths, strict=True)]
    return Trace(path.name, np.concatenate(rates))


def _row(path: Path, number: int, line: list[str]) -> tuple[int, float]:
    try:
        second, requests = line
        start, count = int(second), float(requests)
    except ValueError:
        raise TraceError(
            f"{path}:{number}: {','.join(line)} is not a whole second and a number of requests, such as 60,1200"
        ) from None
    if not (math.isfinite(count) and count >= 0):
        raise TraceError(f"{path}:{number}: {requests} requests cannot arrive; give 0 or more")
    return start, count


def counts(trace: Trace, seed: int) -> Array:
    """Requests in each second, int64 [seconds]: Poisson with the trace's rates."""
    return np.random.default_rng(seed).poisson(trace.rates)


def instants(trace: Trace, seed: int) -> Array:
    """The same as ascending instants in s, float64 [requests]: within a second all are equally likely."""
    found = counts(trace, seed)
    # Another stream than the counts'.
    within = np.random.default_rng([seed, 1]).random(found.sum())
    return np.sort(np.repeat(np.arange(len(found)), found) + within)


def _mean(values: Array, width: int) -> Array:
    """Around each second; at the ends the first and the last value go on."""
    padded = np.pad(values, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")
