"""Command line of `python -m benchmarks model`."""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks import results

HELP = "what the model itself costs: batch size, length, padding, threads, memory, and the time of each kind of op"
CLASSIFIERS = (Path("classifiers/default"), Path("classifiers/quick"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument(
        "--classifier",
        type=Path,
        help=f"directory that `python -m training fit` wrote (default: {CLASSIFIERS[0]}, else {CLASSIFIERS[1]})",
    )
    parser.add_argument(
        "--compared",
        type=int,
        default=1000,
        metavar="ROWS",
        help="utterances whose probabilities are compared between the ways to pad (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=results.FOLDER / "model.json",
        help="JSON with all figures (default: %(default)s)",
    )
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw into this folder")


def run(options: argparse.Namespace) -> int:
    """Measures, writes, prints; 1 if there is no classifier or a process failed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from benchmarks.model import report
    from benchmarks.model.workers import WorkerError
    from training.errors import TrainingError

    directory = options.classifier or next((path for path in CLASSIFIERS if path.exists()), CLASSIFIERS[0])
    try:
        figures = measure(directory, options.compared)
    except (TrainingError, WorkerError) as error:
        say(str(error))
        return 1
    results.write(options.output, "model", figures)
    written = results.read(options.output)
    print(report.markdown(written))
    if options.pictures:
        report.pictures(written, options.pictures)
    say(f"all figures: {options.output}")
    return 0


def measure(directory: Path, compared: int) -> dict[str, object]:
    """All figures of the classifier in the directory.

    Raises:
        ClassifierError: there is none.
        WorkerError: a process that ran it failed.
    """
    from benchmarks.gateway_load import utterances
    from benchmarks.model import costs, policies, shapes, trace, workers
    from training import classifier

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
        with workers.running(shapes.SETTINGS, folder) as fresh:
            figures["memory"] = shapes.measure(fresh, say)
        figures["ops"] = trace.measure(folder, texts, say)
        with workers.running(workers.settings(cores), folder) as running:
            alike = {setting: worker for setting, worker in running.items() if setting.threads == 1}
            figures["agreement"] = costs.measure_agreement(alike, texts[:compared], say)
            figures["utterances"] = costs.measure_utterances(running, texts, say)
            figures["cells"] = costs.measure_cells(running, limit, say)
    return figures


def say(line: str) -> None:
    """Progress and errors."""
    print(f"model: {line}", file=sys.stderr, flush=True)
