"""The command line's options, typed."""

import argparse
import os
from pathlib import Path

from intent_client.answers import ROLES, Role
from intent_client.async_client import BATCH_SIZE, TIME_LIMIT, URL

KEY_VARIABLE = "INTENT_API_KEY"

_BATCH_TIME_LIMIT = 300.0

_EXAMPLES = """\
examples:
  intent-client predict "How long do I boil the pasta?"
  intent-client predict "Yes, go on" --role student --previous "Shall I read the next step?"
  intent-client batch utterances.csv -o intents.csv
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
that cannot be answered has its error there; the others go on. Stopped by Ctrl-C or by a failure, the results stay in
OUTPUT.part, and the same command again goes on after the last of them.
"""
_BATCH_EXAMPLES = """\
examples:
  intent-client batch utterances.csv -o intents.csv --column utterance
  intent-client batch utterances.jsonl -o intents.jsonl --concurrency 8 --threshold 0.7
  zcat big.jsonl.gz | intent-client batch - --format jsonl -o intents.jsonl
"""


class Options(argparse.Namespace):
    """What the command line says; each command has those that it needs."""

    command: str
    url: str
    key: str | None
    key_file: Path | None
    time_limit: float
    json: bool
    text: str
    role: Role | None
    previous: str | None
    top_k: int | None
    threshold: float | None
    version: int | None
    label: str | None
    input: Path
    output: Path | None
    option: Path | None
    format: str | None
    column: str
    no_context: bool
    prefix: str
    batch_size: int
    concurrency: int
    restart: bool
    progress: bool | None

    def api_key(self) -> str | None:
        """From the file, the option or the environment.

        Raises:
            OSError: the file cannot be read.
        """
        if self.key_file is not None:
            return self.key_file.read_text(encoding="utf-8", errors="replace").strip()
        return self.key if self.key is not None else os.environ.get(KEY_VARIABLE) or None


def parse() -> Options:
    """The options of this process; wrong ones end it with status 2."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="intent-client",
        description="Ask the gateway of the intent service.",
        epilog=_EXAMPLES,
        formatter_class=raw,
    )
    commands = parser.add_subparsers(required=True, dest="command", metavar="predict | batch | intents | models")
    predict = commands.add_parser("predict", help="the intent of one text")
    batch = commands.add_parser(
        "batch", help="the intents of a file of texts", description=_BATCH, epilog=_BATCH_EXAMPLES, formatter_class=raw
    )
    intents = commands.add_parser("intents", help="the names that a model version knows, a line each")
    models = commands.add_parser("models", help="the model's versions, their states and labels")

    predict.add_argument("text", help="what somebody said")
    predict.add_argument("--role", choices=ROLES, help="who said it (default: unknown)")
    predict.add_argument("--previous", metavar="TEXT", help="what was said right before (default: unknown)")
    predict.add_argument("--top-k", type=_whole, metavar="N", help="list so many intents (default: the gateway's)")

    batch.add_argument("input", metavar="INPUT", type=Path, help="a .csv, .jsonl or .txt file, or - for standard input")
    batch.add_argument("output", metavar="OUTPUT", nargs="?", type=Path, help="a .csv or .jsonl file (default: stdout)")
    batch.add_argument("-o", "--output", metavar="OUTPUT", dest="option", type=Path, help="the same as an option")
    batch.add_argument("--format", choices=("csv", "jsonl", "txt"), help="of INPUT (default: by its ending; - is txt)")
    batch.add_argument("--column", default="text", metavar="NAME", help="column or field with the text (default: text)")
    batch.add_argument("--no-context", action="store_true", help="do not ask with the columns role and previous")
    batch.add_argument("--prefix", default="", metavar="TEXT", help="before the names of the five added columns")
    size = "texts in a request (default: %(default)s)"
    batch.add_argument("--batch-size", type=_whole, default=BATCH_SIZE, metavar="N", help=size)
    most = "most requests at once (default: %(default)s)"
    batch.add_argument("--concurrency", type=_whole, default=4, metavar="N", help=most)
    batch.add_argument("--restart", action="store_true", help="throw away what an earlier run left or made")
    shown = "a progress bar on stderr (default: on a terminal)"
    batch.add_argument("--progress", action=argparse.BooleanOptionalAction, help=shown)

    for command in (predict, batch):
        command.add_argument("--threshold", type=_share, metavar="X", help="abstain below this score, 0 to 1")
    for command in (predict, batch, intents):
        which = command.add_mutually_exclusive_group()
        which.add_argument("--version", type=_whole, metavar="N", help="ask this model version")
        which.add_argument("--label", metavar="NAME", help="ask the version with this label")
    for command in (predict, batch, intents, models):
        command.add_argument("--url", default=URL, help="where the gateway is (default: %(default)s)")
        key = command.add_mutually_exclusive_group()
        key.add_argument("--key", help=f"API key; better in a file or in the environment variable {KEY_VARIABLE}")
        key.add_argument("--key-file", type=Path, metavar="FILE", help="file with the API key")
        limit = _BATCH_TIME_LIMIT if command is batch else TIME_LIMIT
        meaning = "for a request with all its tries (default: %(default)g)"
        command.add_argument("--time-limit", type=_seconds, default=limit, metavar="SECONDS", help=meaning)
        if command is not batch:
            command.add_argument("--json", action="store_true", help="print the answer as JSON")
    return parser.parse_args(namespace=Options())


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


def _share(text: str) -> float:
    return _number(text, 0, 1)


def _seconds(text: str) -> float:
    return _number(text, 0.001, 86400)


def _number(text: str, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text} is no number from {least:g} to {most:g}")
    return number
