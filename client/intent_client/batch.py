"""A whole file of texts through the gateway: streamed, in order, and able to go on where it stopped."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from intent_client.chunks import Chunk, ChunkReader
from intent_client.client import Client
from intent_client.errors import ClientError
from intent_client.journal import Destination
from intent_client.outputs import Outcome, Output
from intent_client.progress import Progress

GRACE_SECONDS = 5.0
"""When stopped: longest wait for what is in flight, so that it need not be asked again."""


@dataclass(frozen=True)
class Aim:
    """What every request of the batch asks for; None is left to the gateway."""

    threshold: float | None
    version: int | None
    label: str | None


class RowError(ClientError):
    """A row of the input has no text that can be asked. It is recorded, never raised."""

    code = "bad_row"


class Batch:
    """One run; each chunk of the input is one request."""

    def __init__(
        self, client: Client, aim: Aim, output: Output, destination: Destination, progress: Progress, concurrency: int
    ) -> None:
        """`concurrency`: most requests at once."""
        self._client = client
        self._aim = aim
        self._output = output
        self._destination = destination
        self._progress = progress
        self._concurrency = concurrency
        self._reading: asyncio.Task[Chunk | None] | None = None
        self._unreadable: ClientError | None = None
        # In the order of the input; what is done behind one that is not waits here.
        self._window: deque[tuple[Chunk, asyncio.Task[list[Outcome]]]] = deque()

    async def run(self, reader: ChunkReader) -> None:
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
            self._destination.write(self._output.header(), state.position, state.tally)
        try:
            await self._pump(reader)
        except asyncio.CancelledError:
            with suppress(asyncio.CancelledError):
                await self._wait_in_flight()
            with suppress(ClientError):
                self._write_done()
            raise
        finally:
            await self._cancel()
        if self._unreadable is not None:
            raise self._unreadable
        self._destination.finish()

    async def _pump(self, reader: ChunkReader) -> None:
        more = True
        while more or self._window:
            if more and self._reading is None and len(self._window) < self._concurrency:
                self._reading = asyncio.create_task(reader.next())
            awaited: list[asyncio.Task[Any]] = [task for _, task in list(self._window)[:1]]
            awaited += [self._reading] if self._reading is not None else []
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if self._reading is not None and self._reading.done():
                more = self._take(self._reading)
                self._reading = None
            self._write_done()

    def _take(self, reading: "asyncio.Task[Chunk | None]") -> bool:
        try:
            chunk = reading.result()
        except ClientError as error:
            # First what was read before is answered and written.
            self._unreadable = error
            return False
        if chunk is not None:
            self._window.append((chunk, asyncio.create_task(self._ask(chunk))))
        return chunk is not None

    async def _ask(self, chunk: Chunk) -> list[Outcome]:
        texts = [row.asked for row in chunk.rows if row.problem is None]
        answers = iter(
            await self._client.predict_many(
                texts, top_k=1, threshold=self._aim.threshold, version=self._aim.version, label=self._aim.label
            )
        )
        return [next(answers) if row.problem is None else RowError(row.problem) for row in chunk.rows]

    def _write_done(self) -> None:
        while self._window and self._window[0][1].done():
            chunk, task = self._window[0]
            outcomes = task.result()
            content = self._output.encode(chunk.rows, outcomes)
            self._destination.write(content, chunk.end, self._destination.state.tally.plus(outcomes))
            self._window.popleft()
            self._progress.show(self._destination.state)

    async def _wait_in_flight(self) -> None:
        if self._window:
            await asyncio.wait([task for _, task in self._window], timeout=GRACE_SECONDS)

    async def _cancel(self) -> None:
        tasks: list[asyncio.Task[Any]] = [task for _, task in self._window]
        tasks += [self._reading] if self._reading is not None else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
