"""Command line of `python -m benchmarks serving`."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.serving.rounds import CHOICES
from benchmarks.shared import command_line
from model_server.process.memory import ONEDNN_OPS

HELP = "the service beside the design it replaced, the model server alone, the model alone and the gateway alone"

Number = TypeVar("Number", int, float)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    command_line.add_classifier(parser)
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="that it is published in; with bfloat16 the model server runs oneDNN's ops (default: %(default)s)",
    )
    parser.add_argument(
        "--sides", type=_sides, default=CHOICES, metavar="A,B,...", help=f"of {', '.join(CHOICES)} (default: all)"
    )
    parser.add_argument(
        "--connections", type=_counts, default=(1, 8, 32, 64), metavar="N,N,...", help="(default: 1,8,32,64)"
    )
    parser.add_argument("--rounds", type=_positive(int), default=3, help="medians of so many (default: %(default)s)")
    parser.add_argument("--seconds", type=_positive(float), default=8, help="of a round (default: %(default)s)")
    parser.add_argument(
        "--baseline-seconds",
        type=_positive(float),
        default=12,
        help="of a round of the baseline, which answers few requests (default: %(default)s)",
    )
    parser.add_argument(
        "--long", type=float, default=60, help="seconds of one run at 32 connections; 0 = none (default: %(default)s)"
    )
    parser.add_argument(
        "--soak", type=int, default=0, help="requests of a run that watches memory; 0 = none (default: %(default)s)"
    )
    command_line.add_output(parser, "serving")


def run(options: argparse.Namespace) -> int:
    """Measures, writes, prints; 1 if something is missing, did not start, or a request failed."""
    from benchmarks.serving import comparison
    from benchmarks.shared import generators
    from benchmarks.shared.generators import NoLoadGeneratorError
    from serving_config.errors import ServingConfigError

    # Like Ctrl-C: every process is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    directory = command_line.chosen(options)
    if options.precision == "bfloat16":
        os.environ[ONEDNN_OPS] = "1"
    plan = comparison.Plan(
        directory,
        options.precision,
        options.sides,
        options.connections,
        options.rounds,
        options.seconds,
        options.baseline_seconds,
        options.long,
        options.soak,
    )
    try:
        generators.require("wrk", "h2load")
        with tempfile.TemporaryDirectory() as state:
            figures = comparison.measure(plan, Path(state), say)
    except (NoLoadGeneratorError, ServingConfigError, RuntimeError, OSError) as error:
        say(str(error))
        return 1
    written = command_line.deliver(options, "serving", figures)
    failed = comparison.failures(written)
    if failed:
        say(f"{failed} requests failed, or were answered with another intent than the baseline's")
    return int(failed > 0)


def say(line: str) -> None:
    """To the one who waits."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _sides(words: str) -> tuple[str, ...]:
    chosen = tuple(word for word in words.split(",") if word)
    unknown = [word for word in chosen if word not in CHOICES]
    if unknown or not chosen:
        raise argparse.ArgumentTypeError(f"{words!r}: choose of {', '.join(CHOICES)}, with commas between")
    return chosen


def _counts(words: str) -> tuple[int, ...]:
    return tuple(_positive(int)(word) for word in words.split(","))


def _positive(kind: type[Number]) -> Callable[[str], Number]:
    def read(word: str) -> Number:
        value = kind(word)
        if value <= 0:
            raise argparse.ArgumentTypeError(f"{word} is not above 0")
        return value

    return read
