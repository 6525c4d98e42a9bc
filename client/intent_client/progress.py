"""The progress bar of `batch`, on stderr."""

import sys
from types import TracebackType
from typing import Self

from tqdm import tqdm

from intent_client.errors import ClientError
from intent_client.journal import State


class Progress:
    """Shows nothing if told so; lines that are said are printed anyhow."""

    def __init__(self, shown: bool, total: int | None) -> None:
        """`total`: bytes of the input, None if nobody knows."""
        self._rows_before = 0
        layout = "{percentage:3.0f}% |{bar}| {desc} [{elapsed}<{remaining}]" if total else "{desc} [{elapsed}]"
        self._bar = tqdm(total=total, disable=not shown, file=sys.stderr, bar_format=layout, leave=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()

    def begin(self, state: State) -> None:
        """Where the run begins: what was done before does not count as speed."""
        self._rows_before = state.tally.rows
        self._bar.initial = state.position.bytes
        if state.position.rows:
            self.say(f"going on behind row {state.position.rows:,}")
        self.show(state)

    def show(self, state: State) -> None:
        """How far it is."""
        if self._bar.disable:
            return
        seconds = self._bar.format_dict["elapsed"]
        speed = f", {(state.tally.rows - self._rows_before) / seconds:,.0f} a second" if seconds > 1 else ""
        failed = f", {state.tally.failures:,} failed" if state.tally.failed else ""
        self._bar.set_description_str(f"{state.tally.rows:,} rows{failed}{speed}", refresh=False)
        self._bar.update(state.position.bytes - self._bar.n)

    def waiting(self, error: ClientError, seconds: float) -> None:
        """Why nothing moves for a while."""
        if not self._bar.disable:
            self._bar.set_description_str(f"waiting {seconds:.1f} s: {error.code}")

    def say(self, line: str) -> None:
        """A line for people."""
        tqdm.write(line, file=sys.stderr)
