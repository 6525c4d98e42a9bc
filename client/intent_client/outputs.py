"""The output of `batch`: each row of the input with the result's columns behind its own."""

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec

from intent_client.errors import ClientError, UsageError
from intent_client.inputs import Row
from intent_client.results import Prediction

COLUMNS = ("intent", "score", "version", "abstained", "error")

Outcome = Prediction | ClientError


class Output(ABC):
    """Turns rows and their outcomes into bytes."""

    def __init__(self, names: tuple[str, ...], prefix: str) -> None:
        """`names`: the input's columns; `prefix`: put before each name in `COLUMNS`.

        Raises:
            UsageError: the input has a column of such a name.
        """
        self._names = names
        self._added = tuple(prefix + column for column in COLUMNS)
        self._refuse_taken(names)

    @abstractmethod
    def header(self) -> bytes:
        """What stands before the first row."""

    @abstractmethod
    def encode(self, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> bytes:
        """The rows, each with its outcome.

        Raises:
            UsageError: a row has a field of a name that is to be added.
        """

    def _refuse_taken(self, names: Sequence[str]) -> None:
        if taken := [name for name in self._added if name in names]:
            raise UsageError(
                f"the input has {', '.join(taken)} already; name the results otherwise, as with --prefix predicted_"
            )


class CsvOutput(Output):
    """Comma-separated values with a header; an empty cell stands for nothing."""

    def header(self) -> bytes:
        return self._lines([[*self._names, *self._added]])

    def encode(self, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> bytes:
        return self._lines(
            [
                [*row.fields.values(), *(_cell(value) for value in _values(outcome))]
                for row, outcome in zip(rows, outcomes, strict=True)
            ]
        )

    @staticmethod
    def _lines(rows: Sequence[Sequence[object]]) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()


class JsonlOutput(Output):
    """A JSON object a line; null stands for nothing."""

    def header(self) -> bytes:
        return b""

    def encode(self, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> bytes:
        lines = bytearray()
        for row, outcome in zip(rows, outcomes, strict=True):
            self._refuse_taken(tuple(row.fields))
            lines += msgspec.json.encode({**row.fields, **dict(zip(self._added, _values(outcome), strict=True))})
            lines += b"\n"
        return bytes(lines)


FORMATS: dict[str, type[Output]] = {"csv": CsvOutput, "jsonl": JsonlOutput}


def _values(outcome: Outcome) -> tuple[str | float | int | bool | None, ...]:
    if isinstance(outcome, ClientError):
        return None, None, None, None, f"{outcome.code}: {outcome.detail}"
    return outcome.intent, outcome.score, outcome.version, outcome.abstained, None


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
