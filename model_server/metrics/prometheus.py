"""Counters, gauges and histograms, and their text, character by character as the stock server writes it.

No library does: prometheus_client adds HELP lines, `_total` and `_created`, counts a value that equals a bound below
it, and leaves out the braces of a metric without labels.
"""

import operator
import re
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import ClassVar

_NO_NAME = re.compile("[^a-zA-Z0-9_]")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

Labels = tuple[str, ...]

# A request only appends its values here, which costs a tenth of adding them up. They are added up by the request that
# fills the queue to _MANY_NOTES, or when the metrics are read.
_notes: "deque[tuple[Metric, Labels, float]]" = deque()
_MANY_NOTES = 256
_adding = threading.Lock()


def _add_up() -> None:
    with _adding:
        for _ in range(len(_notes)):
            metric, labels, value = _notes.popleft()
            metric.add_up(labels, value)


def exponential(first: float, factor: float, count: int) -> tuple[float, ...]:
    """`count` bounds, each `factor` times the one before it."""
    return tuple(accumulate([first] + [factor] * (count - 1), operator.mul))


class Metric:
    """One name with a value for every combination of its labels. Thread-safe.

    Attributes:
        all: every metric that was made.
        path: the name as TensorFlow registers it, `/a/b`; the text has it as `:a:b`.
        is_silent: whether the text leaves it out until it has a value; otherwise it then has its TYPE line alone.
    """

    all: ClassVar[list["Metric"]] = []
    kind = ""

    def __init__(self, path: str, *labels: str, is_silent: bool = False) -> None:
        self.all.append(self)
        self.path = path
        self.is_silent = is_silent
        self._name = _NO_NAME.sub(":", path)
        self._labels = labels
        # The numbers that the values were added up to, by the values of the labels.
        self._cells: dict[Labels, list[float]] = {}

    def note(self, labels: Labels, value: float) -> None:
        """Appends a value, to be added up later."""
        _notes.append((self, labels, value))
        if len(_notes) >= _MANY_NOTES:
            _add_up()

    def add_up(self, labels: Labels, value: float) -> None:
        """Adds a value; called by one thread at a time."""
        raise NotImplementedError

    def lines(self) -> Iterator[str]:
        """The TYPE line and the values, by labels in order."""
        cells = self._added_up()
        if cells or not self.is_silent:
            yield f"# TYPE {self._name} {self.kind}"
        for values, cell in cells:
            pairs = zip(self._labels, values, strict=True)
            yield from self._points(",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs), cell)

    def _added_up(self) -> list[tuple[Labels, list[float]]]:
        _add_up()
        with _adding:
            return sorted((labels, list(cell)) for labels, cell in self._cells.items())

    def _points(self, braces: str, cell: list[float]) -> Iterator[str]:
        raise NotImplementedError


class Counter(Metric):
    """Whole numbers that only rise."""

    kind = "counter"

    def add(self, *labels: str, by: int = 1) -> None:
        """Adds to the value."""
        self.note(labels, by)

    def add_up(self, labels: Labels, value: float) -> None:
        """As in `Metric`."""
        self._cells.setdefault(labels, [0])[0] += int(value)

    def total(self) -> int:
        """The sum over all labels."""
        return int(sum(cell[0] for _, cell in self._added_up()))

    def _points(self, braces: str, cell: list[float]) -> Iterator[str]:
        yield f"{self._name}{{{braces}}} {cell[0]}"


class Gauge(Counter):
    """A number that may fall as well."""

    kind = "gauge"


class Histogram(Metric):
    """How many values lie below each bound; one that equals a bound is not below it."""

    kind = "histogram"

    def __init__(self, path: str, bounds: Sequence[float], *labels: str, is_silent: bool = False) -> None:
        super().__init__(path, *labels, is_silent=is_silent)
        self._bounds = bounds
        self._limits = [f"{bound:g}" for bound in bounds] + ["+Inf"]

    def observe(self, value: float, *labels: str) -> None:
        """Counts a value."""
        self.note(labels, value)

    def add_up(self, labels: Labels, value: float) -> None:
        """As in `Metric`."""
        # The counts by bucket, and the sum of the values.
        cell = self._cells.setdefault(labels, [0] * len(self._limits) + [0.0])
        cell[bisect_right(self._bounds, value)] += 1
        cell[-1] += value

    def _points(self, braces: str, cell: list[float]) -> Iterator[str]:
        *counts, total = cell
        start = f'{self._name}_bucket{{{braces}{"," * bool(braces)}le="'
        for limit, below in zip(self._limits, accumulate(counts), strict=True):
            yield f'{start}{limit}"}} {below}'
        yield f"{self._name}_sum{{{braces}}} {total:g}"
        yield f"{self._name}_count{{{braces}}} {sum(counts)}"
