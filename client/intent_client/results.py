"""What `batch` writes: each row of the input with the result's columns after its own."""

import csv
import io
from collections.abc import Collection, Sequence

import msgspec

from intent_client.answers import Prediction
from intent_client.errors import ClientError, UsageError
from intent_client.rows import Row

FORMATS = ("csv", "jsonl")
COLUMNS = ("intent", "score", "version", "abstained", "error")

Outcome = Prediction | ClientError


class Results:
    """Turns rows and their outcomes into CSV, where an empty cell stands for nothing, or JSONL."""

    def __init__(self, kind: str, names: tuple[str, ...], prefix: str) -> None:
        """`names`: the input's columns; `prefix`: put before each name in `COLUMNS`.

        Raises:
            UsageError: the input has a column of such a name.
        """
        self._is_csv = kind == "csv"
        self._names = names
        self._added = tuple(prefix + column for column in COLUMNS)
        self._refuse_taken(names)

    def header(self) -> bytes:
        """What stands before the first row."""
        return _csv([[*self._names, *self._added]]) if self._is_csv else b""

    def encode(self, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> bytes:
        """The rows, each with its outcome.

        Raises:
            UsageError: a row has a field of a name that is to be added.
        """
        pairs = [(row.fields, _values(outcome)) for row, outcome in zip(rows, outcomes, strict=True)]
        if self._is_csv:
            return _csv([[*fields.values(), *map(_cell, values)] for fields, values in pairs])
        for fields, _ in pairs:
            self._refuse_taken(fields)
        whole = [{**fields, **dict(zip(self._added, values, strict=True))} for fields, values in pairs]
        return b"".join(msgspec.json.encode(each) + b"\n" for each in whole)

    def _refuse_taken(self, names: Collection[str]) -> None:
        if taken := [name for name in self._added if name in names]:
            raise UsageError(
                f"the input has {', '.join(taken)} already; name the results otherwise, as with --prefix predicted_"
            )


def _csv(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _values(outcome: Outcome) -> tuple[object, ...]:
    if isinstance(outcome, ClientError):
        return None, None, None, None, f"{outcome.code}: {outcome.detail}"
    return outcome.intent, outcome.score, outcome.version, outcome.abstained, None


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
