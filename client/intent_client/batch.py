"""A whole file of texts through the gateway: streamed, in order, and able to go on where it stopped."""

import asyncio
import concurrent.futures
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from intent_client.async_client import AsyncClient
from intent_client.errors import ClientError, UsageError
from intent_client.journal import Stdout
from intent_client.progress import Progress
from intent_client.results import Outcome, Results
from intent_client.rows import Lines, Position, Row, Rows

GRACE_SECONDS = 5.0
"""When stopped: longest wait for what is in flight, so that it need not be asked again."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows, asked in one request."""

    rows: tuple[Row, ...]
    end: Position
    """The place after the last of them."""


class RowError(ClientError):
    """A row of the input has no text that can be asked. It is recorded, never raised."""

    code = "bad_row"


def chunks(lines: Lines, rows: Rows, size: int, start: Position) -> Iterator[Chunk]:
    """The rows after `start`, `size` at a time.

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


async def _next(source: Iterator[Chunk]) -> Chunk | None:
    chunk: concurrent.futures.Future[Chunk | None] = concurrent.futures.Future()
    # It may be abandoned, not cancelled: the thread sets its result in any case.
    chunk.set_running_or_notify_cancel()

    def read() -> None:
        try:
            chunk.set_result(next(source, None))
        except Exception as error:
            chunk.set_exception(error)

    # A daemon: the end of the process must not wait for a line that a terminal or pipe may never send.
    threading.Thread(target=read, daemon=True).start()
    return await asyncio.wrap_future(chunk)


class Batch:
    """One run."""

    def __init__(
        self,
        client: AsyncClient,
        options: dict[str, Any],
        results: Results,
        destination: Stdout,
        progress: Progress,
        concurrency: int,
    ) -> None:
        """`options`: threshold, version and label; `concurrency`: most requests at once."""
        self._client = client
        self._options = options
        self._results = results
        self._destination = destination
        self._progress = progress
        self._concurrency = concurrency
        self._reading: asyncio.Task[Chunk | None] | None = None
        self._unreadable: ClientError | None = None
        # In the order of the input: a chunk that is answered early waits for those before it.
        self._window: deque[tuple[Chunk, asyncio.Task[list[Outcome]]]] = deque()

    async def run(self, source: Iterator[Chunk]) -> None:
        """Returns when every row is written.

        Cancelled, it takes nothing more and waits up to `GRACE_SECONDS`, or until cancelled again, for what is in
        flight. Whenever it ends, what was written before is whole and stays.

        Raises:
            ClientError: a request failed for a reason that concerns no single text.
            UsageError: the input cannot be read on, or has fields of names that are to be added.
            OSError: the output cannot be written.
        """
        state = self._destination.state
        if not state.written:
            self._destination.write(self._results.header(), state.position, ())
        try:
            await self._pump(source)
        except asyncio.CancelledError:
            with suppress(asyncio.CancelledError):
                if self._window:
                    await asyncio.wait([task for _, task in self._window], timeout=GRACE_SECONDS)
            with suppress(ClientError):
                self._write_done()
            raise
        finally:
            tasks = self._tasks()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._unreadable is not None:
            raise self._unreadable
        self._destination.finish()

    async def _pump(self, source: Iterator[Chunk]) -> None:
        more = True
        while more or self._window:
            if more and self._reading is None and len(self._window) < self._concurrency:
                self._reading = asyncio.create_task(_next(source))
            # The first of the window and the next chunk.
            await asyncio.wait(self._tasks()[:2] if self._reading else self._tasks()[:1], return_when="FIRST_COMPLETED")
            if self._reading is not None and self._reading.done():
                more = self._take(self._reading)
                self._reading = None
            self._write_done()

    def _take(self, reading: "asyncio.Task[Chunk | None]") -> bool:
        try:
            chunk = reading.result()
        except ClientError as error:
            # What was read before is answered and written first.
            self._unreadable = error
            return False
        if chunk is not None:
            self._window.append((chunk, asyncio.create_task(self._ask(chunk))))
        return chunk is not None

    async def _ask(self, chunk: Chunk) -> list[Outcome]:
        texts = [row.asked for row in chunk.rows if row.problem is None]
        answers = iter(await self._client.predict_many(texts, top_k=1, **self._options))
        return [next(answers) if row.problem is None else RowError(row.problem) for row in chunk.rows]

    def _write_done(self) -> None:
        while self._window and self._window[0][1].done():
            chunk, task = self._window[0]
            outcomes = task.result()
            self._destination.write(self._results.encode(chunk.rows, outcomes), chunk.end, outcomes)
            self._window.popleft()
            self._progress.show(self._destination.state)

    def _tasks(self) -> list[asyncio.Task[Any]]:
        return [*([self._reading] if self._reading else []), *(task for _, task in self._window)]
