"""Command line of the client: `intent-client predict|batch|intents|models`."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from intent_client.arguments import seconds, share, whole
from intent_client.client import BATCH_SIZE, TIME_LIMIT, URL, Client
from intent_client.errors import ClientError, UsageError
from intent_client.turns import ROLES

T = TypeVar("T")

KEY_VARIABLE = "INTENT_API_KEY"

BATCH_TIME_LIMIT = 300.0

_EXAMPLES = """\
examples:
  intent-client predict "How long do I boil the pasta?"
  intent-client predict "Yes, go on" --role student --previous "Shall I read the next step?"
  intent-client predict "stop" --top-k 3 --threshold 0.8 --json
  intent-client batch utterances.csv -o intents.csv
  cat utterances.txt | intent-client batch - > intents.csv
  intent-client models --url https://intents.example.com --key-file key.txt

exit status:
  0  answered; for batch: every row
  1  refused or failed; for batch: stopped by a failure, or some rows have an error
  2  wrong usage
  130, 143  stopped by Ctrl-C, by SIGTERM
"""

_BATCH = """\
Asks for every text of a file, streamed and in order; where there are columns role and previous, with who said it and
what was said before. The output has the columns of the input, and intent, score, version, abstained and error. A row
that cannot be answered has its error there and stops nobody else. Stopped by Ctrl-C or by a failure, the results stay
in OUTPUT.part, and the same command again goes on behind the last of them.
"""

_BATCH_EXAMPLES = """\
examples:
  intent-client batch utterances.csv -o intents.csv --column utterance
  intent-client batch utterances.jsonl -o intents.jsonl --concurrency 8 --threshold 0.7
  zcat big.jsonl.gz | intent-client batch - --format jsonl -o intents.jsonl
"""


def main() -> int:
    """Exit status: 0 answered, 1 refused or failed, 2 wrong usage, 128 + number of the signal that stopped it."""
    options = _parser().parse_args()
    try:
        return int(options.run(options))
    except UsageError as error:
        print(f"intent-client: {error}", file=sys.stderr)
        return 2
    except ClientError as error:
        # An id that no gateway has answered under helps nobody.
        request = f", request {error.request_id}" if error.status else ""
        print(f"intent-client: {error.code}: {error.detail}{request}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has enough. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"intent-client: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _predict(options: argparse.Namespace) -> int:
    from intent_client.bars import ranking

    prediction = _ask(
        options,
        lambda client: client.predict(
            options.text,
            role=options.role,
            previous=options.previous,
            top_k=options.top_k,
            threshold=options.threshold,
            version=options.version,
            label=options.label,
        ),
    )
    print(_json(prediction) if options.json else ranking(prediction, options.threshold))
    return 0


def _batch(options: argparse.Namespace) -> int:
    from intent_client.batch import Aim
    from intent_client.job import Job

    if options.output and options.option:
        raise UsageError("OUTPUT is given twice")
    job = Job(
        input=None if options.input == "-" else Path(options.input),
        output=options.output or options.option,
        format=options.format,
        column=options.column,
        reads_context=not options.no_context,
        prefix=options.prefix,
        aim=Aim(options.threshold, options.version, options.label),
        batch_size=options.batch_size,
        concurrency=options.concurrency,
        restart=options.restart,
        progress=options.progress,
        url=options.url,
        key=_key(options),
        time_limit=options.time_limit,
    )
    return job.run()


def _intents(options: argparse.Namespace) -> int:
    intents = _ask(options, lambda client: client.intents(version=options.version, label=options.label))
    print(_json(intents) if options.json else "\n".join(intents.intents))
    return 0


def _models(options: argparse.Namespace) -> int:
    models = _ask(options, lambda client: client.models())
    if options.json:
        print(_json(models))
        return 0
    print("version  state      labels")
    for each in models.versions:
        why = f"  failed to load: {each.error}" if each.error else ""
        print(f"{each.version:>7}  {each.state:<9}  {', '.join(each.labels)}{why}".rstrip())
    return 0


def _ask(options: argparse.Namespace, question: Callable[[Client], Awaitable[T]]) -> T:
    async def work() -> T:
        client = Client(options.url, key=_key(options), time_limit=options.time_limit, on_wait=_say_waiting)
        async with client:
            return await question(client)

    return asyncio.run(work())


def _say_waiting(error: ClientError, seconds: float) -> None:
    if sys.stderr.isatty():
        print(f"intent-client: {error.detail}; next try in {seconds:.1f} s", file=sys.stderr)


def _json(result: msgspec.Struct) -> str:
    return msgspec.json.encode(result).decode()


def _key(options: argparse.Namespace) -> str | None:
    if options.key_file is not None:
        return str(options.key_file.read_text(encoding="utf-8", errors="replace").strip())
    if options.key is not None:
        return str(options.key)
    return os.environ.get(KEY_VARIABLE) or None


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="intent-client",
        description="Ask the gateway of the intent service.",
        epilog=_EXAMPLES,
        formatter_class=raw,
    )
    commands = parser.add_subparsers(required=True, metavar="predict | batch | intents | models")
    predict = commands.add_parser("predict", help="the intent of one text")
    batch = commands.add_parser(
        "batch", help="the intents of a file of texts", description=_BATCH, epilog=_BATCH_EXAMPLES, formatter_class=raw
    )
    intents = commands.add_parser("intents", help="the names that a model version knows, a line each")
    models = commands.add_parser("models", help="the model's versions, their states and labels")

    predict.add_argument("text", help="what somebody said")
    predict.add_argument("--role", choices=ROLES, help="who said it (default: unknown)")
    predict.add_argument("--previous", metavar="TEXT", help="what was said right before (default: unknown)")
    predict.add_argument("--top-k", type=whole, metavar="N", help="list so many intents (default: the gateway's)")

    batch.add_argument("input", metavar="INPUT", help="a .csv, .jsonl or .txt file, or - for standard input")
    batch.add_argument(
        "output", metavar="OUTPUT", nargs="?", type=Path, help="a .csv or .jsonl file (default: standard output)"
    )
    batch.add_argument("-o", "--output", metavar="OUTPUT", dest="option", type=Path, help="the same as an option")
    batch.add_argument("--format", choices=("csv", "jsonl", "txt"), help="of INPUT (default: by its ending; - is txt)")
    batch.add_argument("--column", default="text", metavar="NAME", help="column or field with the text (default: text)")
    batch.add_argument("--no-context", action="store_true", help="do not ask with the columns role and previous")
    batch.add_argument("--prefix", default="", metavar="TEXT", help="before the names of the five added columns")
    batch.add_argument(
        "--batch-size", type=whole, default=BATCH_SIZE, metavar="N", help="texts a request (default: %(default)s)"
    )
    batch.add_argument(
        "--concurrency", type=whole, default=4, metavar="N", help="most requests at once (default: %(default)s)"
    )
    batch.add_argument("--restart", action="store_true", help="throw away what an earlier run left or made")
    on_or_off = argparse.BooleanOptionalAction
    batch.add_argument("--progress", action=on_or_off, help="a progress bar on stderr (default: on a terminal)")

    for command in (predict, batch):
        command.add_argument("--threshold", type=share, metavar="X", help="abstain below this score, 0 to 1")
    for command in (predict, batch, intents):
        which = command.add_mutually_exclusive_group()
        which.add_argument("--version", type=whole, metavar="N", help="ask this model version")
        which.add_argument("--label", metavar="NAME", help="ask the version with this label")
    for command, run in ((predict, _predict), (batch, _batch), (intents, _intents), (models, _models)):
        command.set_defaults(run=run)
        command.add_argument("--url", default=URL, help="where the gateway is (default: %(default)s)")
        key = command.add_mutually_exclusive_group()
        key.add_argument("--key", help=f"API key; better in a file or in the environment variable {KEY_VARIABLE}")
        key.add_argument("--key-file", type=Path, metavar="FILE", help="file with the API key")
        limit = BATCH_TIME_LIMIT if command is batch else TIME_LIMIT
        meaning = "for a request with all its tries (default: %(default)g)"
        command.add_argument("--time-limit", type=seconds, default=limit, metavar="SECONDS", help=meaning)
        if command is not batch:
            command.add_argument("--json", action="store_true", help="print the answer as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
