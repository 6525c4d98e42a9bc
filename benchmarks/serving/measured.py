"""The rounds of a result file: medians, spreads, and ratios of what was measured in the same round."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving.rounds import GENERATOR, IN_PROCESS

Figures = dict[str, Any]


@dataclass(frozen=True)
class Spread:
    """The values of all rounds."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Of the rounds."""
        return statistics.median(self.values)

    def text(self, form: str) -> str:
        """Median (lowest to highest), each in this format; the median alone of a single round."""
        low, high = (format(pick(self.values), form) for pick in (min, max))
        middle = format(self.median, form)
        return middle if len(self.values) == 1 else f"{middle} ({low} to {high})"


def subject(figures: Figures) -> str:
    """What a run served: the classifier's name, and the precision if it is not float32."""
    precision = figures.get("precision", "float32")
    return Path(figures["classifier"]).name + ("" if precision == "float32" else f"-{precision}")


def picture(figures: Figures, name: str) -> str:
    """File of a picture; runs that served something else have others."""
    return f"performance-serving-{subject(figures)}-{name}.png"


class Measured:
    """Rounds by side and connections; 0 connections for what runs in process."""

    def __init__(self, figures: Figures) -> None:
        self._rounds: dict[tuple[str, int], list[Figures]] = {}
        for each in figures["measured"]:
            self._rounds.setdefault((each["side"], each["connections"]), []).append(each)

    def has(self, *places: tuple[str, int]) -> bool:
        """Whether each (side, connections) was measured."""
        return all(place in self._rounds for place in places)

    def places(self) -> list[tuple[str, int]]:
        """Every (side, connections), in the order of measuring."""
        return list(self._rounds)

    def of(self, side: str, connections: int, name: str) -> Spread:
        """One figure of every round."""
        return Spread(tuple(each[name] for each in self._rounds[side, connections]))

    def failed(self, side: str, connections: int) -> int:
        """Requests in all rounds."""
        return sum(each["failed"] for each in self._rounds[side, connections])

    def ratio(self, over: tuple[str, int], under: tuple[str, int], name: str) -> Spread:
        """One figure of two (side, connections), divided round by round."""
        pairs = zip(self.of(*over, name).values, self.of(*under, name).values, strict=True)
        return Spread(tuple(one / other for one, other in pairs))

    def limit(self) -> str | None:
        """The batch size, by its side's name, with which the model alone gives most rows a second; None if not run."""
        found = [side for side in IN_PROCESS.values() if self.has((side, 0))]
        return max(found, key=lambda side: self.of(side, 0, "rate").median, default=None)

    def cpu(self, side: str, connections: int) -> dict[str, float]:
        """Medians of the CPU ms per row by process."""
        rounds: Sequence[Figures] = self._rounds[side, connections]
        return {name: statistics.median(each["cpu_ms"][name] for each in rounds) for name in rounds[0]["cpu_ms"]}

    def share(self, side: str, connections: int, process: str) -> Spread:
        """The part of one process in the CPU of a request, 0 to 1; the load generator is not the service's."""
        spent = [each["cpu_ms"] for each in self._rounds[side, connections]]
        return Spread(
            tuple(each[process] / sum(ms for name, ms in each.items() if name != GENERATOR) for each in spent)
        )
