"""Command line of `python -m benchmarks model`."""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.shared import command_line

HELP = "what the model itself costs: batch size, length, padding, threads, memory, and the time of each kind of op"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    command_line.add_classifier(parser)
    parser.add_argument(
        "--compared",
        type=int,
        default=1000,
        metavar="ROWS",
        help="utterances whose probabilities are compared between the ways to pad (default: %(default)s)",
    )
    command_line.add_output(parser, "model")


def run(options: argparse.Namespace) -> int:
    """Measures, writes, prints; 1 if there is no classifier or a process failed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from benchmarks.shared.model_process import ModelProcessError
    from training.errors import TrainingError

    directory = command_line.chosen(options)
    try:
        figures = measure(directory, options.compared)
    except (TrainingError, ModelProcessError) as error:
        say(str(error))
        return 1
    command_line.deliver(options, "model", figures)
    return 0


def measure(directory: Path, compared: int) -> dict[str, object]:
    """All figures of the classifier in the directory.

    Raises:
        ClassifierError: there is none.
        ModelProcessError: a process that ran it failed.
    """
    from benchmarks.model import costs, policies, settings, shapes, trace
    from benchmarks.shared.texts import utterances
    from training.fit import classifier

    texts = utterances()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say(f"exporting {directory} with each way to pad")
        trained = classifier.load(directory)
        policies.write(trained, folder)
        pieces = policies.lengths(trained, texts)
        limit = trained.description.sequence_length
        figures: dict[str, object] = {
            "classifier": str(directory),
            "encoder": trained.description.encoder,
            "sequence_length": limit,
            "pieces": {"mean": round(statistics.mean(pieces), 1), "longest": max(pieces)},
            "rounds": costs.ROUNDS,
        }
        with settings.running(shapes.SETTINGS, folder) as fresh:
            figures["memory"] = shapes.measure(fresh, say)
        figures["ops"] = trace.measure(folder, texts, say)
        with settings.running(settings.settings(cores), folder) as running:
            alike = {setting: worker for setting, worker in running.items() if setting.threads == 1}
            figures["agreement"] = costs.measure_agreement(alike, texts[:compared], say)
            figures["utterances"] = costs.measure_utterances(running, texts, say)
            figures["cells"] = costs.measure_cells(running, limit, say)
    return figures


def say(line: str) -> None:
    """Progress and errors."""
    print(f"model: {line}", file=sys.stderr, flush=True)
