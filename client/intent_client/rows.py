"""The rows of `batch`'s input: a text each, from CSV, JSONL or plain lines. Blank lines are no rows."""

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from intent_client.answers import ROLES, Turn
from intent_client.errors import UsageError

FORMATS = ("csv", "jsonl", "txt")
MAX_LINE = 1 << 20
"""Bytes of one line; the rest of a longer one is skipped. Keeps memory bounded, and is above what a gateway takes."""

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True)
class Position:
    """A place between two rows of the input, and the SHA-256 of everything before it."""

    rows: int = 0
    bytes: int = 0
    sha256: str = hashlib.sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its fields, to be written again as they are, and the text to ask for, or why it has none."""

    fields: Mapping[str, str | msgspec.Raw]
    asked: str | Turn
    problem: str | None = None


class Lines:
    """Iterates over text, each line with its line feed; what is not UTF-8 becomes U+FFFD."""

    def __init__(self, stream: BinaryIO) -> None:
        self.number = 0
        """Of the last line, from 1."""
        self._problem: str | None = None
        self._stream = stream
        self._bytes = 0
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[str]:
        while line := self._read():
            self.number += 1
            if self.number == 1:
                # Spreadsheets write a byte order mark.
                line = line.removeprefix(b"\xef\xbb\xbf")
            if len(line) == MAX_LINE and not line.endswith(b"\n"):
                self._problem = f"line {self.number} is longer than {MAX_LINE} bytes"
                while (rest := self._read()) and not rest.endswith(b"\n"):
                    pass
            try:
                yield line.decode()
            except UnicodeDecodeError:
                self._problem = self._problem or f"line {self.number} is not UTF-8"
                yield line.decode(errors="replace")

    def position(self, rows: int) -> Position:
        """The place after the last line, which ended row number `rows`."""
        return Position(rows, self._bytes, self._hash.hexdigest())

    def take_problem(self) -> str | None:
        """What was wrong with the lines since the last call."""
        problem, self._problem = self._problem, None
        return problem

    def _read(self) -> bytes:
        line = self._stream.readline(MAX_LINE)
        self._bytes += len(line)
        self._hash.update(line)
        return line


class Rows:
    """Iterates over the rows of one input."""

    def __init__(self, lines: Lines, kind: str, column: str, reads_context: bool) -> None:
        """`kind`: one of `FORMATS`; `column`: with the text; `reads_context`: use the columns role and previous too.

        Raises:
            UsageError: a CSV without header, without the column, or with a column named twice.
        """
        self.names: tuple[str, ...] = (column,) if kind == "txt" else ()
        """The columns; empty for JSONL, where each row has its own."""
        self._lines = lines
        self._column = column
        self._context = [name for name in ("role", "previous") if reads_context and name != column]
        self._rows = {"csv": self._csv, "jsonl": self._jsonl, "txt": self._txt}[kind]
        # Strict: a quote left open would swallow everything after it.
        self._records = csv.reader(lines, strict=True)
        if kind == "csv":
            self.names = tuple(self._next_record() or ())
            if column not in self.names:
                found = ", ".join(self.names) or "no header at all"
                raise UsageError(f"the CSV has no column {column}; it has {found}; name the right one with --column")
            if len(set(self.names)) < len(self.names):
                names = ", ".join(self.names)
                raise UsageError(f"the CSV's header names a column twice: {names}; give them names of their own")

    def __iter__(self) -> Iterator[Row]:
        return self._rows()

    def _txt(self) -> Iterator[Row]:
        for line in self._lines:
            text, problem = line.rstrip("\r\n"), self._lines.take_problem()
            if text.strip():
                yield Row({self._column: text}, text, problem)

    def _csv(self) -> Iterator[Row]:
        while (cells := self._next_record()) is not None:
            problem = self._lines.take_problem()
            if not cells:
                continue
            if len(cells) != len(self.names) and problem is None:
                problem = f"line {self._lines.number} ends a row of {len(cells)} cells under {len(self.names)} columns"
            cells += [""] * (len(self.names) - len(cells))
            fields = dict(zip(self.names, cells, strict=False))
            yield self._row(fields, fields, problem)

    def _next_record(self) -> list[str] | None:
        first = self._lines.number + 1
        try:
            return next(self._records, None)
        except csv.Error as error:
            raise UsageError(f"the CSV cannot be read from line {first} on: {error}; is a quote left open?") from None

    def _jsonl(self) -> Iterator[Row]:
        for line in self._lines:
            problem = self._lines.take_problem()
            if line.strip():
                yield self._decoded(line, problem)

    def _decoded(self, line: str, problem: str | None) -> Row:
        where = f"line {self._lines.number}"
        try:
            fields = _OBJECT.decode(line)
        except msgspec.DecodeError:
            return Row({"line": line.rstrip("\r\n")}, "", problem or f"{where} is no JSON object")
        if self._column not in fields:
            return Row(fields, "", f"{where} has no field {self._column}")
        given: dict[str, str] = {}
        for name in (self._column, *(name for name in self._context if name in fields)):
            try:
                # A role or previous turn of null is unknown, as if it were not there.
                given[name] = msgspec.json.decode(fields[name], type=str if name == self._column else str | None) or ""
            except msgspec.DecodeError:
                return Row(fields, "", f"{where}: the field {name} is no text")
        return self._row(fields, given, problem)

    def _row(self, fields: Mapping[str, str | msgspec.Raw], given: Mapping[str, str], problem: str | None) -> Row:
        text = given[self._column]
        known = {name: given[name] for name in self._context if given.get(name)}
        if known.get("role", ROLES[0]) not in ROLES:
            return Row(fields, text, problem or f"line {self._lines.number}: the role is none of {', '.join(ROLES)}")
        return Row(fields, msgspec.convert({"text": text, **known}, Turn) if known else text, problem)
