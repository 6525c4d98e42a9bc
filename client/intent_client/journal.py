"""Where results go, and what a stopped batch leaves so that the next run can go on.

While it runs there are OUTPUT.part, the results so far, and OUTPUT.part.json, the journal: how much of the input these
are. A row counts as done when the journal says so; what stands in the part behind that is cut off. At the end the part
gets the output's name and the journal goes.
"""

import fcntl
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from intent_client.errors import UsageError
from intent_client.lines import Position
from intent_client.tally import Tally


class State(msgspec.Struct, frozen=True):
    """How far a batch is."""

    input_sha256: str | None
    """Of the whole input file; None for a pipe, of which only `position` is known."""
    settings: dict[str, str]
    """Everything that shapes the results."""
    position: Position = Position()
    written: int = 0
    """Bytes of results."""
    tally: Tally = Tally()


class Destination(Protocol):
    """What the batch writes to."""

    state: State
    """How far it is."""

    def write(self, content: bytes, position: Position, tally: Tally) -> None:
        """Adds results; with them, the input is done up to `position`."""

    def finish(self) -> None:
        """All is written."""

    def close(self) -> None:
        """Lets go of it, finished or not."""


class Stdout:
    """Standard output; nothing can go on there."""

    def __init__(self, state: State) -> None:
        self.state = state

    def write(self, content: bytes, position: Position, tally: Tally) -> None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        self.state = _after(self.state, content, position, tally)

    def finish(self) -> None:
        """Nothing is left to do."""

    def close(self) -> None:
        """Stays open."""


class PartFile:
    """A file that has its name only once it is complete."""

    def __init__(self, output: Path, begun: State, restart: bool) -> None:
        """`begun`: the state of a run from the start; `state` is where this one goes on.

        Raises:
            UsageError: there is a finished output, or a part of another batch, and `restart` is not set; or another
                process writes it.
            OSError: the files cannot be written.
        """
        self.path = output.with_name(output.name + ".part")
        self.state = begun
        self._output = output
        self._journal = output.with_name(output.name + ".part.json")
        if output.exists() and not restart and not self.path.exists():
            raise UsageError(f"{output} is there already; move it away, or give --restart to replace it")
        self._file: BinaryIO = self.path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another process is writing {self.path}") from None
        if not restart and self._file.tell():
            self.state = self._resumed(begun)
        self._file.truncate(self.state.written)
        self._note()

    def write(self, content: bytes, position: Position, tally: Tally) -> None:
        """Returns when both files are written.

        Raises:
            OSError: the disk is full, or gone.
        """
        self._file.write(content)
        self._file.flush()
        self.state = _after(self.state, content, position, tally)
        self._note()

    def finish(self) -> None:
        """Gives the output its name."""
        os.fsync(self._file.fileno())
        self.path.replace(self._output)
        self._journal.unlink()

    def close(self) -> None:
        """Gives up the file, and the lock with it."""
        with suppress(OSError):
            # What could not be written on a full disk cannot be written now either.
            self._file.close()

    def _note(self) -> None:
        sibling = self._journal.with_name(self._journal.name + ".new")
        sibling.write_bytes(msgspec.json.encode(self.state))
        sibling.replace(self._journal)

    def _resumed(self, begun: State) -> State:
        anew = "--restart throws it away and begins anew"
        try:
            state = msgspec.json.decode(self._journal.read_bytes(), type=State)
        except (OSError, msgspec.DecodeError):
            raise UsageError(
                f"{self.path} cannot be gone on with: {self._journal} is missing or broken; {anew}"
            ) from None
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


def _after(state: State, content: bytes, position: Position, tally: Tally) -> State:
    return msgspec.structs.replace(state, position=position, written=state.written + len(content), tally=tally)
