"""Command line of `python -m benchmarks training`."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.shared import command_line
from benchmarks.training.recipes import WAYS

HELP = "rows a second and memory of training, the reference recipe against ours, with the same encoder"
ROUNDS = 3
# Traces, first times of shapes, caches.
WARM_UP_STEPS = 8


class TrainingFailedError(Exception):
    """A process that trained ended without figures."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument(
        "--encoder", default="minilm:3", help="for all ways: see `python -m training fit --help` (default: %(default)s)"
    )
    parser.add_argument("--steps", type=int, default=40, help="batches that are measured (default: %(default)s)")
    command_line.add_output(parser, "training")


def run(options: argparse.Namespace) -> int:
    """Measures, writes, prints; 1 if a training failed."""

    try:
        figures = measure(options.encoder, options.steps)
    except TrainingFailedError as error:
        say(str(error))
        return 1
    command_line.deliver(options, "training", figures)
    return 0


def measure(encoder: str, steps: int) -> dict[str, object]:
    """Every way in a process of its own, by turns.

    Raises:
        TrainingFailedError: one of them failed.
    """
    from training.data import dataset

    named = os.environ.get("WOT_DATA_DIR")
    rounds: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for number in range(ROUNDS):
        for way, found in rounds.items():
            say(f"round {number + 1} of {ROUNDS}: {way}, {steps} steps")
            found.append(_train(way, encoder, Path(named) if named else dataset.SAMPLE, steps))
    return {
        "encoder": encoder,
        "data": "`WOT_DATA_DIR`" if named else "the bundled sample",
        "steps": steps,
        "warm_up_steps": WARM_UP_STEPS,
        "ways": rounds,
    }


def _train(way: str, encoder: str, data: Path, steps: int) -> dict[str, float]:
    words = [way, encoder, str(data), str(WARM_UP_STEPS), str(steps)]
    # On Ctrl-C and on errors `run` ends the process before it goes on.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training.worker", *words], stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise TrainingFailedError(f"training {way} failed with status {done.returncode}; what it said stands above")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def say(line: str) -> None:
    """Progress and errors."""
    print(f"training: {line}", file=sys.stderr, flush=True)
