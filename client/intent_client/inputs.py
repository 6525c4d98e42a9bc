"""The input of `batch`: rows with a text each, from CSV, JSONL or plain lines. Blank lines are no rows."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from intent_client.errors import UsageError
from intent_client.lines import Lines
from intent_client.turns import ROLES, Turn

CONTEXT = ("role", "previous")
"""Columns that say what is known around the text, where the input has them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands."""

    fields: Mapping[str, str | msgspec.Raw]
    """To be written again; raw JSON stays as it is, byte by byte."""
    asked: str | Turn
    problem: str | None = None
    """Why the row has no text that can be asked."""


class Input(ABC):
    """Iterates over rows."""

    def __init__(self, lines: Lines, column: str, reads_context: bool) -> None:
        """`column`: with the text; `reads_context`: whether the columns of `CONTEXT` are asked with it."""
        self.names: tuple[str, ...] = ()
        """The columns; empty where each row has its own."""
        self._lines = lines
        self._column = column
        self._context = [name for name in CONTEXT if reads_context and name != column]

    @abstractmethod
    def __iter__(self) -> Iterator[Row]: ...

    def _row(self, fields: Mapping[str, str | msgspec.Raw], given: Mapping[str, str], problem: str | None) -> Row:
        """`given`: the text, and what is around it; empty or missing is not known."""
        text = given[self._column]
        around = {name: given[name] for name in self._context if given.get(name)}
        if not around:
            return Row(fields, text, problem)
        if around.get("role", ROLES[0]) not in ROLES:
            return Row(fields, text, problem or f"line {self._lines.number}: the role is none of {', '.join(ROLES)}")
        return Row(fields, msgspec.convert({"text": text, **around}, Turn), problem)


class TxtInput(Input):
    """A text a line."""

    def __init__(self, lines: Lines, column: str, reads_context: bool) -> None:
        super().__init__(lines, column, reads_context)
        self.names = (column,)

    def __iter__(self) -> Iterator[Row]:
        for line in self._lines:
            text = line.rstrip("\r\n")
            problem = self._lines.take_problem()
            if text.strip():
                yield Row({self._column: text}, text, problem)


class CsvInput(Input):
    """Comma-separated values with a header (RFC 4180)."""

    def __init__(self, lines: Lines, column: str, reads_context: bool) -> None:
        """Raises:
        UsageError: no header, one without the column, or one that names a column twice.
        """
        super().__init__(lines, column, reads_context)
        # Strict: a quote left open would swallow everything behind it.
        self._records = csv.reader(lines, strict=True)
        self.names = tuple(self._next() or ())
        if column not in self.names:
            found = ", ".join(self.names) or "no header at all"
            raise UsageError(f"the CSV has no column {column}; it has {found}; name the right one with --column")
        if len(set(self.names)) < len(self.names):
            raise UsageError(
                f"the CSV's header names a column twice: {', '.join(self.names)}; give them names of their own"
            )

    def __iter__(self) -> Iterator[Row]:
        while (cells := self._next()) is not None:
            problem = self._lines.take_problem()
            if not cells:
                continue
            if len(cells) != len(self.names) and problem is None:
                problem = f"line {self._lines.number} ends a row of {len(cells)} cells under {len(self.names)} columns"
            cells += [""] * (len(self.names) - len(cells))
            fields = dict(zip(self.names, cells, strict=False))
            yield self._row(fields, fields, problem)

    def _next(self) -> list[str] | None:
        first = self._lines.number + 1
        try:
            return next(self._records, None)
        except csv.Error as error:
            raise UsageError(f"the CSV cannot be read from line {first} on: {error}; is a quote left open?") from None


class JsonlInput(Input):
    """A JSON object a line."""

    _DECODER: ClassVar = msgspec.json.Decoder(dict[str, msgspec.Raw])

    def __iter__(self) -> Iterator[Row]:
        for line in self._lines:
            problem = self._lines.take_problem()
            if line.strip():
                yield self._decoded(line, problem)

    def _decoded(self, line: str, problem: str | None) -> Row:
        where = f"line {self._lines.number}"
        try:
            fields = self._DECODER.decode(line)
        except msgspec.DecodeError:
            return Row({"line": line.rstrip("\r\n")}, "", problem or f"{where} is no JSON object")
        if self._column not in fields:
            return Row(fields, "", f"{where} has no field {self._column}")
        given: dict[str, str] = {}
        for name in (self._column, *(name for name in self._context if name in fields)):
            try:
                # Of what is around the text, null is as good as nothing.
                given[name] = msgspec.json.decode(fields[name], type=str if name == self._column else str | None) or ""
            except msgspec.DecodeError:
                return Row(fields, "", f"{where}: the field {name} is no text")
        return self._row(fields, given, problem)


FORMATS: dict[str, type[Input]] = {"csv": CsvInput, "jsonl": JsonlInput, "txt": TxtInput}
