"""The progress bar of `batch`, on stderr."""

import sys

from tqdm import tqdm

from intent_client.errors import ClientError
from intent_client.journal import State


class Progress:
    """A bar that can be switched off; `say` prints its line in any case."""

    def __init__(self, shown: bool, total: int | None, state: State) -> None:
        """`total`: bytes of the input, if known; `state`: where the run begins, which does not count as speed."""
        self._rows_before = state.position.rows
        layout = "{percentage:3.0f}% |{bar}| {desc} [{elapsed}<{remaining}]" if total else "{desc} [{elapsed}]"
        self._bar = tqdm(
            total=total,
            initial=state.position.bytes,
            disable=not shown,
            file=sys.stderr,
            bar_format=layout,
            leave=False,
        )
        if state.position.rows:
            self.say(f"going on after row {state.position.rows:,}")
        self.show(state)

    def close(self) -> None:
        """Takes the bar away."""
        self._bar.close()

    def show(self, state: State) -> None:
        """How far it is."""
        if self._bar.disable:
            return
        seconds = self._bar.format_dict["elapsed"]
        rows, failures = state.position.rows, sum(state.failed.values())
        speed = f", {(rows - self._rows_before) / seconds:,.0f} a second" if seconds > 1 else ""
        failed = f", {failures:,} failed" if failures else ""
        self._bar.set_description_str(f"{rows:,} rows{failed}{speed}", refresh=False)
        self._bar.update(state.position.bytes - self._bar.n)

    def waiting(self, error: ClientError, seconds: float) -> None:
        """Why nothing moves for a while."""
        if not self._bar.disable:
            self._bar.set_description_str(f"waiting {seconds:.1f} s: {error.code}")

    def say(self, line: str) -> None:
        """A line for people."""
        tqdm.write(line, file=sys.stderr)
