"""Where results go, and what a stopped batch leaves so that the next run can go on.

While it runs there are OUTPUT.part, the results so far, and OUTPUT.part.json, the journal: how much of the input these
are. A row counts as done when the journal says so; what stands in the part after that is cut off. At the end the part
gets the output's name and the journal goes.
"""

import fcntl
import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from intent_client.answers import Prediction
from intent_client.errors import UsageError
from intent_client.results import Outcome
from intent_client.rows import Position


@dataclass(frozen=True)
class State:
    """How far a batch is."""

    input_sha256: str | None
    """Of the whole input file; None for a pipe, of which only `position` is known."""
    settings: dict[str, str]
    """Everything that shapes the results."""
    position: Position = field(default_factory=Position)
    written: int = 0
    """Bytes of results."""
    abstained: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    """Rows without a result, by the code of the error."""

    def plus(self, content: bytes, position: Position, outcomes: Sequence[Outcome]) -> "State":
        """After these rows too."""
        failed = Counter(self.failed)
        failed.update(each.code for each in outcomes if not isinstance(each, Prediction))
        abstained = self.abstained + sum(each.abstained for each in outcomes if isinstance(each, Prediction))
        written = self.written + len(content)
        return replace(self, position=position, written=written, abstained=abstained, failed=dict(failed))

    def __str__(self) -> str:
        failures = sum(self.failed.values())
        parts = [f"{self.position.rows - failures:,} answered"]
        if self.abstained:
            parts.append(f"{self.abstained:,} of them abstained")
        if self.failed:
            codes = ", ".join(f"{count:,} {code}" for code, count in sorted(self.failed.items()))
            parts.append(f"{failures:,} failed ({codes})")
        return ", ".join(parts)


class Stdout:
    """Standard output; a later run cannot go on there."""

    def __init__(self, state: State) -> None:
        self.state = state
        """How far it is."""

    def write(self, content: bytes, position: Position, outcomes: Sequence[Outcome]) -> None:
        """Adds results; with them, the input is done up to `position`."""
        self._append(content)
        self.state = self.state.plus(content, position, outcomes)

    def finish(self) -> None:
        """All is written."""

    def close(self) -> None:
        """Closes it, finished or not."""

    def _append(self, content: bytes) -> None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


class PartFile(Stdout):
    """A file that has its name only once it is complete."""

    def __init__(self, output: Path, begun: State, restart: bool) -> None:
        """`begun`: the state of a run from the start; `state` is where this one goes on.

        Raises:
            UsageError: there is a finished output, or a part of another batch, and `restart` is not set; or another
                process writes it.
            OSError: the files cannot be written.
        """
        super().__init__(begun)
        self.path = output.with_name(output.name + ".part")
        self._output = output
        self._journal = output.with_name(output.name + ".part.json")
        if output.exists() and not restart and not self.path.exists():
            raise UsageError(f"{output} is there already; move it away, or give --restart to replace it")
        self._file = self.path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another process is writing {self.path}") from None
        if not restart and self._file.tell():
            self.state = self._resumed(begun)
        self._file.truncate(self.state.written)
        self._note()

    def write(self, content: bytes, position: Position, outcomes: Sequence[Outcome]) -> None:
        super().write(content, position, outcomes)
        self._note()

    def finish(self) -> None:
        os.fsync(self._file.fileno())
        self.path.replace(self._output)
        self._journal.unlink()

    def close(self) -> None:
        with suppress(OSError):
            # What could not be written on a full disk cannot be written now either.
            self._file.close()

    def _append(self, content: bytes) -> None:
        self._file.write(content)
        self._file.flush()

    def _note(self) -> None:
        sibling = self._journal.with_name(self._journal.name + ".new")
        sibling.write_bytes(msgspec.json.encode(self.state))
        sibling.replace(self._journal)

    def _resumed(self, begun: State) -> State:
        anew = "--restart throws it away and begins anew"
        try:
            state = msgspec.json.decode(self._journal.read_bytes(), type=State)
        except (OSError, msgspec.DecodeError):
            raise UsageError(f"{self.path} cannot be continued: {self._journal} is missing or broken; {anew}") from None
        if state.input_sha256 != begun.input_sha256:
            raise UsageError(f"the input is not the one that {self.path} was begun with; {anew}")
        if changed := sorted(
            f"{name} {state.settings.get(name) or 'none'}, now {begun.settings.get(name) or 'none'}"
            for name in state.settings.keys() | begun.settings.keys()
            if state.settings.get(name) != begun.settings.get(name)
        ):
            raise UsageError(f"{self.path} was begun with other options: {'; '.join(changed)}; give those, or {anew}")
        if self._file.tell() < state.written:
            raise UsageError(f"{self.path} is shorter than {self._journal} says; {anew}")
        return state
