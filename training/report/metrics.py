"""metrics.json: how a classifier came to be, and the figures that are read back to compare trainings."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from training.fit.recipe import Recipe
from training.report.evaluate import Evaluation

FILE = "metrics.json"
# The two ways to ask a classifier, as tables and pictures name them.
TEXT_ALONE, WITH_CONTEXT = "text alone", "with context"
# Way to ask -> split -> figures.
Views = dict[str, dict[str, Evaluation]]


@dataclass(frozen=True)
class Data:
    """The data set, in the words of `training.data.dataset`; `rows` in all, `splits`: split -> its rows."""

    rows: int
    splits: dict[str, int]
    domains: list[str]
    dropped: int
    checksums: dict[str, str]


@dataclass(frozen=True)
class Origin:
    """How a classifier came to be; goes into metrics.json as it is.

    Attributes:
        encoder: its name, see `training.encoder.encoders`.
        parameters: how many numbers were trained.
        epoch: the one that was kept, from 1.
        history: see `training.fit.fit`.
        versions: package -> version.
    """

    data: Data
    encoder: str
    recipe_name: str
    recipe: Recipe
    parameters: int
    minutes: float
    epoch: int
    history: dict[str, list[float]]
    versions: dict[str, str]


@dataclass(frozen=True)
class Metrics:
    """What is read back of a metrics.json; the file holds more.

    Attributes:
        splits, dialogue: split -> figures from the text alone, and with role and previous turn if the classifier takes
            them.
    """

    recipe: Recipe
    minutes: float
    splits: dict[str, Evaluation]
    dialogue: dict[str, Evaluation] | None = None

    @property
    def views(self) -> Views:
        """The figures by the way to ask."""
        return {TEXT_ALONE: self.splits} | ({WITH_CONTEXT: self.dialogue} if self.dialogue else {})


def read(directory: Path) -> Metrics:
    """Reads the metrics of a classifier directory."""
    return msgspec.json.decode((directory / FILE).read_bytes(), type=Metrics)


def as_json(figures: object) -> str:
    """Dataclasses, dictionaries and lists of plain values as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(figures), indent=2).decode() + "\n"
