"""The lines of a file or pipe, and how far they have been read."""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

MAX_BYTES = 1 << 20
"""Of one line; the rest of a longer one is skipped. Keeps memory bounded, and is above what a gateway takes."""

_BOM = b"\xef\xbb\xbf"


class Position(msgspec.Struct, frozen=True):
    """A place between two rows of the input."""

    rows: int = 0
    bytes: int = 0
    sha256: str = hashlib.sha256().hexdigest()
    """Of everything before it."""


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
                # Spreadsheets write it.
                line = line.removeprefix(_BOM)
            if len(line) == MAX_BYTES and not line.endswith(b"\n"):
                self._problem = f"line {self.number} is longer than {MAX_BYTES} bytes"
                while (rest := self._read()) and not rest.endswith(b"\n"):
                    pass
            try:
                yield line.decode()
            except UnicodeDecodeError:
                self._problem = self._problem or f"line {self.number} is not UTF-8"
                yield line.decode(errors="replace")

    def position(self, rows: int) -> Position:
        """The place behind the last line, which ended row number `rows`."""
        return Position(rows, self._bytes, self._hash.hexdigest())

    def take_problem(self) -> str | None:
        """What was wrong with the lines since the last call: one too long, or not UTF-8."""
        problem, self._problem = self._problem, None
        return problem

    def _read(self) -> bytes:
        line = self._stream.readline(MAX_BYTES)
        self._bytes += len(line)
        self._hash.update(line)
        return line
