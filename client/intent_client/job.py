"""The `batch` command: its files, the signals that stop it, and what people are told."""

import asyncio
import hashlib
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import BinaryIO

from intent_client import results, rows
from intent_client.async_client import AsyncClient
from intent_client.batch import Batch, Chunk, chunks
from intent_client.errors import ClientError, UsageError
from intent_client.journal import PartFile, State, Stdout
from intent_client.options import Options
from intent_client.progress import Progress


def run(options: Options) -> int:
    """Exit status: 0 all rows answered, 1 some or all not, 128 + number of the signal that stopped it.

    Raises:
        ClientError: the batch cannot begin or go on.
        OSError: a file cannot be opened or written.
    """
    if options.output and options.option:
        raise UsageError("OUTPUT is given twice")
    source = None if str(options.input) == "-" else options.input
    target = options.output or options.option
    input_format, output_format = _formats(options.format, source, target)
    aim = {"threshold": options.threshold, "version": options.version, "label": options.label}
    shaping = {
        "--format": input_format,
        "the output's format": output_format,
        "--column": options.column,
        "--no-context": "given" if options.no_context else None,
        "--prefix": options.prefix,
        **{f"--{name}": value for name, value in aim.items()},
    }
    settings = {name: str(value) for name, value in shaping.items() if value is not None}
    is_file = source is not None and source.is_file()
    with ExitStack() as stack:
        lines = rows.Lines(_opened(source, stack))
        found = rows.Rows(lines, input_format, options.column, not options.no_context)
        output = results.Results(output_format, found.names, options.prefix)
        client = AsyncClient(
            options.url,
            key=options.api_key(),
            time_limit=options.time_limit,
            connections=options.concurrency,
            batch_size=options.batch_size,
            on_wait=lambda error, seconds: progress.waiting(error, seconds),
        )
        begun = State(_sha256(source) if source and is_file else None, settings)
        # Last: a run that cannot begin leaves no file.
        place = stack.enter_context(closing(PartFile(target, begun, options.restart) if target else Stdout(begun)))
        # On one terminal, results would run through the bar.
        on_terminal = sys.stderr.isatty() and (target is not None or not sys.stdout.isatty())
        shown = on_terminal if options.progress is None else options.progress
        size = source.stat().st_size if source and is_file else None
        progress = stack.enter_context(closing(Progress(shown, size, place.state)))
        began, rows_before = time.monotonic(), place.state.position.rows
        batch = Batch(client, aim, output, place, progress, options.concurrency)
        try:
            number = asyncio.run(
                _until_signal(client, batch, chunks(lines, found, options.batch_size, place.state.position), progress)
            )
        except BrokenPipeError:
            raise
        except (ClientError, OSError):
            progress.say(_how_to_go_on(place.state, source, target))
            raise
        if number is not None:
            progress.say(_how_to_go_on(place.state, source, target))
            return 128 + number
        count, seconds = place.state.position.rows, time.monotonic() - began
        speed = (count - rows_before) / seconds
        said = "1 row" if count == 1 else f"{count:,} rows"
        progress.say(f"{said}: {place.state}; {seconds:.1f} s, {speed:,.0f} rows a second")
        return 1 if place.state.failed else 0


async def _until_signal(client: AsyncClient, batch: Batch, source: Iterator[Chunk], progress: Progress) -> int | None:
    caught: list[int] = []

    def stop(number: int) -> None:
        if not caught:
            progress.say("stopping: waiting for what is in flight; once more stops at once")
        caught.append(number)
        work.cancel()

    async with client:
        work = asyncio.create_task(batch.run(source))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
        await asyncio.wait([work])
        if work.cancelled():
            return caught[0]
        work.result()
        return None


def _formats(given: str | None, source: Path | None, target: Path | None) -> tuple[str, str]:
    by_ending = "txt" if source is None else _ending(source)
    read = given or by_ending
    if read not in rows.FORMATS:
        raise UsageError(f"{source}: the ending says no format; give --format csv, jsonl or txt")
    written = _ending(target) if target else "csv" if read == "txt" else read
    if written not in results.FORMATS:
        raise UsageError(f"{target}: results are written as .csv or .jsonl")
    if (read, written) == ("jsonl", "csv"):
        raise UsageError("the fields of JSONL may differ from line to line; write the results as .jsonl")
    if source and target and source.resolve() == target.resolve():
        raise UsageError("input and output are the same file; choose another output")
    return read, written


def _opened(source: Path | None, stack: ExitStack) -> BinaryIO:
    if source is not None:
        return stack.enter_context(source.open("rb"))
    # Never closed, and not sys.stdin: either would wait for the thread that still reads a line when it was stopped.
    return open(0, "rb", closefd=False)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _how_to_go_on(state: State, source: Path | None, target: Path | None) -> str:
    done = f"stopped after row {state.position.rows:,}"
    if target is None:
        return f"{done}; only with OUTPUT can a later run go on there"
    same = "" if source else "with the same input, "
    return f"{done}; to go on there, run the same command again, {same}without --restart"


def _ending(path: Path) -> str:
    return path.suffix.removeprefix(".").lower()
