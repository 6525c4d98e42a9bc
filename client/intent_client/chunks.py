"""Rows of the input in the portions that are asked together."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from intent_client.errors import UsageError
from intent_client.inputs import Input, Row
from intent_client.lines import Lines, Position


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows."""

    rows: tuple[Row, ...]
    end: Position
    """Behind the last of them."""


def chunks(lines: Lines, rows: Input, size: int, start: Position) -> Iterator[Chunk]:
    """The rows behind `start`, `size` at a time.

    Raises:
        UsageError: what stands before `start` is not what stood there.
    """
    remaining = iter(rows)
    done = sum(1 for _ in islice(remaining, start.rows))
    if done and lines.position(done) != start:
        raise UsageError("the input is not the one that was begun with; give that one, or --restart to begin anew")
    while portion := tuple(islice(remaining, size)):
        done += len(portion)
        yield Chunk(portion, lines.position(done))


class ChunkReader:
    """Reads chunks outside of the event loop, one at a time."""

    def __init__(self, source: Iterator[Chunk]) -> None:
        self._source = source

    async def next(self) -> Chunk | None:
        """The next chunk; None at the end.

        Raises:
            UsageError: the input cannot be read on.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Chunk | None] = loop.create_future()

        def settle(chunk: Chunk | None, error: Exception | None) -> None:
            if done.cancelled():
                return
            if error is None:
                done.set_result(chunk)
            else:
                done.set_exception(error)

        def read() -> None:
            chunk, failure = None, None
            try:
                chunk = next(self._source, None)
            except Exception as error:
                failure = error
            # The loop is closed when the run was stopped meanwhile.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, chunk, failure)

        # A daemon: the end of the process must not wait for a line that a terminal or pipe may never send.
        threading.Thread(target=read, daemon=True).start()
        return await done
