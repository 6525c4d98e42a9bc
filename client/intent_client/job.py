"""One `batch` command: its files, the signals that stop it, and what people are told."""

import asyncio
import hashlib
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from intent_client import inputs, outputs
from intent_client.batch import Aim, Batch
from intent_client.chunks import ChunkReader, chunks
from intent_client.client import Client
from intent_client.errors import ClientError, UsageError
from intent_client.journal import Destination, PartFile, State, Stdout
from intent_client.lines import Lines
from intent_client.progress import Progress


@dataclass(frozen=True)
class Job:
    """What the command line says."""

    input: Path | None
    """None: standard input."""
    output: Path | None
    """None: standard output."""
    format: str | None
    """Of the input; None: by its ending."""
    column: str
    reads_context: bool
    prefix: str
    aim: Aim
    batch_size: int
    concurrency: int
    restart: bool
    progress: bool | None
    """Whether to draw a bar; None: on a terminal."""
    url: str
    key: str | None
    time_limit: float

    def run(self) -> int:
        """Exit status: 0 all rows answered, 1 some or all not, 128 + number of the signal that stopped it.

        Raises:
            UsageError: options or files cannot be used.
            OSError: a file cannot be opened.
        """
        input_format, output_format = self._formats()
        begun = State(self._sha256(), self._shaping(input_format, output_format))
        with self._opened() as stream, Progress(self._shows_progress(), self._size()) as progress:
            lines = Lines(stream)
            rows = inputs.FORMATS[input_format](lines, self.column, self.reads_context)
            output = outputs.FORMATS[output_format](rows.names, self.prefix)
            client = self._client(progress)
            # Last: a run that cannot begin leaves no file.
            with closing(Stdout(begun) if self.output is None else PartFile(self.output, begun, self.restart)) as place:
                progress.begin(place.state)
                batch = Batch(client, self.aim, output, place, progress, self.concurrency)
                reader = ChunkReader(chunks(lines, rows, self.batch_size, place.state.position))
                return self._ended(place, progress, _until_signal(client, batch, reader, progress))

    def _ended(self, place: Destination, progress: Progress, work: Coroutine[None, None, int | None]) -> int:
        began, rows_before = time.monotonic(), place.state.tally.rows
        try:
            signal_number = asyncio.run(work)
        except BrokenPipeError:
            raise
        except (ClientError, OSError):
            progress.say(self._how_to_go_on(place.state))
            raise
        if signal_number is not None:
            progress.say(self._how_to_go_on(place.state))
            return 128 + signal_number
        tally, seconds = place.state.tally, time.monotonic() - began
        speed = (tally.rows - rows_before) / seconds
        rows = "1 row" if tally.rows == 1 else f"{tally.rows:,} rows"
        progress.say(f"{rows}: {tally}; {seconds:.1f} s, {speed:,.0f} rows a second")
        return 1 if tally.failed else 0

    def _client(self, progress: Progress) -> Client:
        return Client(
            self.url,
            key=self.key,
            time_limit=self.time_limit,
            connections=self.concurrency,
            batch_size=self.batch_size,
            on_wait=progress.waiting,
        )

    def _formats(self) -> tuple[str, str]:
        by_ending = "txt" if self.input is None else _ending(self.input)
        source = self.format or by_ending
        if source not in inputs.FORMATS:
            raise UsageError(f"{self.input}: the ending says no format; give --format csv, jsonl or txt")
        natural = "csv" if source == "txt" else source
        target = natural if self.output is None else _ending(self.output)
        if target not in outputs.FORMATS:
            raise UsageError(f"{self.output}: results are written as .csv or .jsonl")
        if (source, target) == ("jsonl", "csv"):
            raise UsageError("the fields of JSONL may differ from line to line; write the results as .jsonl")
        if self.output is not None and self.input is not None and self.output.resolve() == self.input.resolve():
            raise UsageError("input and output are the same file; choose another output")
        return source, target

    def _shaping(self, input_format: str, output_format: str) -> dict[str, str]:
        chosen = {
            "--format": input_format,
            "the output's format": output_format,
            "--column": self.column,
            "--no-context": None if self.reads_context else "given",
            "--prefix": self.prefix,
            "--threshold": self.aim.threshold,
            "--version": self.aim.version,
            "--label": self.aim.label,
        }
        return {name: str(value) for name, value in chosen.items() if value is not None}

    def _opened(self) -> AbstractContextManager[BinaryIO]:
        if self.input is not None:
            return self.input.open("rb")
        # Never closed, and not sys.stdin: either would wait for the thread that still reads a line when it was stopped.
        return nullcontext(open(0, "rb", closefd=False))

    def _size(self) -> int | None:
        return self.input.stat().st_size if self.input is not None and self.input.is_file() else None

    def _sha256(self) -> str | None:
        if self.input is None or not self.input.is_file():
            return None
        with self.input.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _shows_progress(self) -> bool:
        if self.progress is not None:
            return self.progress
        # On one terminal, results would run through the bar.
        return sys.stderr.isatty() and (self.output is not None or not sys.stdout.isatty())

    def _how_to_go_on(self, state: State) -> str:
        done = f"stopped behind row {state.position.rows:,}"
        if self.output is None:
            return f"{done}; only with OUTPUT can a later run go on there"
        same = "with the same input, " if self.input is None else ""
        return f"{done}; to go on there, run the same command again, {same}without --restart"


async def _until_signal(client: Client, batch: Batch, reader: ChunkReader, progress: Progress) -> int | None:
    """Runs the batch; the number of the signal that stopped it."""
    caught: list[int] = []

    def stop(number: int) -> None:
        if not caught:
            progress.say("stopping: waiting for what is in flight; once more stops at once")
        caught.append(number)
        work.cancel()

    async with client:
        work = asyncio.create_task(batch.run(reader))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
        await asyncio.wait([work])
        if work.cancelled():
            return caught[0]
        work.result()
        return None


def _ending(path: Path) -> str:
    return path.suffix.removeprefix(".").lower()
