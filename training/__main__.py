"""Trains and evaluates the intent classifier.

    python -m training fit --recipe quick --data sample --output classifiers/quick
    python -m training evaluate --classifier classifiers/quick --data path/to/dialogues

TensorFlow is imported only once the arguments are known to be good.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from training import dataset, download, encoders, recipe
from training.errors import TrainingError

DATA_HELP = """where the dialogues come from: `sample` (bundled, a thousand turns), `published` (fetched once over
HTTPS into the cache), the URL of a mirror, or a file or directory of wizard_of_tasks_<domain>_<version>.json
(default: $WOT_DATA_DIR, else `published`)"""


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training", description="Train and evaluate the intent classifier.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="fit | evaluate")
    fit = commands.add_parser("fit", help="train a classifier by a recipe, evaluate it, write it and its report")
    fit.add_argument(
        "--recipe", default="reference", help=f"{', '.join(recipe.names())}, or a .toml file (default: %(default)s)"
    )
    fit.add_argument(
        "--encoder", help="a TensorFlow Hub handle, a directory, or minilm[:LAYERS] (default: the recipe's)"
    )
    fit.add_argument("--preprocess", help="the encoder's preprocessing, where it cannot be told from --encoder")
    fit.add_argument("--data", default=os.environ.get("WOT_DATA_DIR") or "published", help=DATA_HELP)
    fit.add_argument("--epochs", type=int, help="instead of the recipe's")
    fit.add_argument("--seed", type=int, help="instead of the recipe's")
    fit.add_argument("--output", type=Path, help="the classifier's directory (default: classifiers/<recipe>)")
    evaluate = commands.add_parser("evaluate", help="print the figures of a trained classifier on a data set")
    evaluate.add_argument("--classifier", type=Path, required=True, help="a directory that `fit` wrote")
    evaluate.add_argument("--data", default=os.environ.get("WOT_DATA_DIR") or "published", help=DATA_HELP)
    evaluate.add_argument("--json", action="store_true", help="all figures as JSON instead of a table")
    return parser


def read_data(where: str) -> dataset.Dataset:
    """The data set that the word after --data stands for."""
    if where == "sample":
        return dataset.load(dataset.SAMPLE)
    if where == "published":
        where = download.PUBLISHED_URL
    if where.startswith(("https://", "http://")):
        return dataset.load(download.download(where, download.cache_directory() / "data"))
    return dataset.load(Path(where))


def fit(options: argparse.Namespace) -> None:
    """Trains, evaluates, and only then puts the whole classifier directory into its place."""
    chosen = recipe.load(options.recipe, encoder=options.encoder, epochs=options.epochs, seed=options.seed)
    data = read_data(options.data)
    print(f"{len(data.table)} labelled turns ({data.dropped} without text or intent dropped)", flush=True)
    # TensorFlow's own chatter would bury the progress.
    from training import classifier, evaluate, fit, report

    pair = encoders.resolve(chosen.encoder, options.preprocess)
    print(f"training on {pair.name} by recipe {options.recipe}", flush=True)
    began = time.monotonic()
    fitted = fit.fit(pair, chosen, data.split("train"), data.split("validation"))
    minutes = (time.monotonic() - began) / 60
    output = options.output or Path("classifiers") / Path(options.recipe).stem
    output.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=output.parent, prefix=f".{output.name}."))
    try:
        classifier.save(fitted.trained, pair.name, part)
        evaluations = evaluate.evaluate(classifier.load(part), data)
        metrics = {
            "splits": {split: figures.as_json() for split, figures in evaluations.items()},
            "data": {
                "rows": len(data.table),
                "splits": {split: figures.rows for split, figures in evaluations.items()},
                "domains": sorted(data.table["domain"].unique()),
                "dropped": data.dropped,
                "checksums": data.checksums,
            },
            "encoder": pair.name,
            "recipe_name": Path(options.recipe).stem,
            "recipe": asdict(chosen),
            "parameters": fitted.trained.trainable_parameters,
            "minutes": minutes,
            "history": fitted.history,
            "versions": report.versions(),
        }
        report.write(part, metrics, evaluations)
        part.chmod(0o755)
        shutil.rmtree(output, ignore_errors=True)
        part.rename(output)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    print(report.table(evaluations))
    print(f"written to {output} after {minutes:.1f} minutes of training; start reading at {output / 'MODEL_CARD.md'}")


def evaluate(options: argparse.Namespace) -> None:
    """Prints the figures of a trained classifier."""
    data = read_data(options.data)
    from training import classifier, evaluate, report

    evaluations = evaluate.evaluate(classifier.load(options.classifier), data)
    if options.json:
        print(json.dumps({split: figures.as_json() for split, figures in evaluations.items()}, indent=2))
    else:
        print(report.table(evaluations))


def main(argv: list[str] | None = None) -> int:
    """Runs the command; errors are one line, exit status 1."""
    options = arguments().parse_args(argv)
    try:
        {"fit": fit, "evaluate": evaluate}[options.command](options)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
