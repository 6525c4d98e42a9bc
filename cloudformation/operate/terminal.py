"""What the operator sees and is asked: lines, tables, colours, and one line of progress that is written over.

Colours and the progress line are for terminals only; a log gets plain lines.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TextIO


class Colour(StrEnum):
    """What a line means, as ECMA-48 colours; terminals show them as their user chose."""

    PLAIN = ""
    GOOD = "32"
    CAREFUL = "33"
    BAD = "31"
    QUIET = "2"
    HEAD = "1"


class Terminal:
    """Standard output and input of the command. `NO_COLOR` (any value) switches the colours off."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self.is_live = self._out.isatty()
        self._is_coloured = self.is_live and "NO_COLOR" not in os.environ
        self._has_progress = False

    def say(self, text: str = "", colour: Colour = Colour.PLAIN) -> None:
        """One line or more."""
        self.clear()
        self._out.write(self._painted(text, colour) + "\n")
        self._out.flush()

    def table(self, head: Sequence[str], rows: Iterable[tuple[Sequence[str], Colour]]) -> None:
        """Columns as wide as their longest cell, all but the last."""
        lines = [(head, Colour.HEAD), *rows]
        widths = [max(len(cells[column]) for cells, _ in lines) for column in range(len(head) - 1)]
        for cells, colour in lines:
            padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
            self.say("  " + "  ".join([*padded, cells[-1]]).rstrip(), colour)

    def progress(self, text: str) -> None:
        """The last line of a live terminal, written over by what comes next; elsewhere nothing."""
        if self.is_live:
            self.clear()
            # One column less: a full line would wrap, and a wrapped one cannot be written over.
            self._out.write(self._painted(text[: shutil.get_terminal_size().columns - 1], Colour.QUIET))
            self._out.flush()
            self._has_progress = True

    def ask(self, question: str) -> str:
        """The answer without blanks around it; empty where there is nobody to ask."""
        self.clear()
        self._out.write(self._painted(question, Colour.HEAD) + " ")
        self._out.flush()
        answer = sys.stdin.readline()
        if not (answer.endswith("\n") and sys.stdin.isatty()):
            # The terminal did not echo the end of the line.
            self._out.write("\n")
        return answer.strip()

    def agrees(self, question: str) -> bool:
        """Only a clear yes counts."""
        return self.ask(f"{question} [y/N]").lower() in ("y", "yes")

    def clear(self) -> None:
        """Takes the progress line away."""
        if self._has_progress:
            self._out.write("\r\x1b[2K")
            self._has_progress = False

    def _painted(self, text: str, colour: Colour) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._is_coloured and colour and text else text
