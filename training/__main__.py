"""Trains and evaluates the intent classifier.

    python -m training fit --recipe default
    python -m training fit --recipe quick --data sample --output classifiers/quick
    python -m training evaluate --classifier classifiers/quick --data path/to/dialogues

TensorFlow is imported only once the arguments are known to be good.
"""

import argparse
import dataclasses
import os
import shutil
import sys
from pathlib import Path

from training.data import dataset, download
from training.encoder import encoders
from training.errors import TrainingError
from training.fit import recipe
from training.quiet import quiet_tensorflow

DATA_HELP = """the dialogues: `sample` (bundled, a thousand turns), `published` (downloaded once into the cache), the
URL of a mirror, or a file or directory of wizard_of_tasks_<domain>_<version>.json (default: $WOT_DATA_DIR, else
`published`)"""


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training", description="Train and evaluate the intent classifier.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="fit | evaluate")
    fit = commands.add_parser(
        "fit",
        help="train a classifier by a recipe, evaluate it, write it and its report",
        description="Trains a classifier. After Ctrl-C the same command continues with the epoch that was interrupted.",
    )
    fit.add_argument(
        "--recipe", default="default", help=f"{', '.join(recipe.names())}, or a .toml file (default: %(default)s)"
    )
    fit.add_argument(
        "--encoder", help="a TensorFlow Hub handle, a directory, or minilm[:LAYERS] (default: the recipe's)"
    )
    fit.add_argument("--preprocess", help="the encoder's preprocessing, if it cannot be found by --encoder")
    fit.add_argument("--data", default=os.environ.get("WOT_DATA_DIR") or "published", help=DATA_HELP)
    fit.add_argument("--domain", help="train on this domain alone and test on the others")
    fit.add_argument("--epochs", type=int, help="overrides the recipe")
    fit.add_argument("--seed", type=int, help="overrides the recipe")
    fit.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="train with N seeds, report mean and spread, keep the best on validation (default: %(default)s)",
    )
    fit.add_argument("--output", type=Path, help="the classifier's directory (default: classifiers/<recipe>)")
    evaluate = commands.add_parser("evaluate", help="print the figures of a trained classifier on a data set")
    evaluate.add_argument("--classifier", type=Path, required=True, help="a directory that `fit` wrote")
    evaluate.add_argument("--data", default=os.environ.get("WOT_DATA_DIR") or "published", help=DATA_HELP)
    evaluate.add_argument("--with-context", action="store_true", help="ask with role and previous turn")
    evaluate.add_argument("--json", action="store_true", help="all figures as JSON instead of a table")
    return parser


def read_data(where: str) -> dataset.Dataset:
    """The data set that --data names."""
    if where == "sample":
        return dataset.load(dataset.SAMPLE)
    if where == "published":
        where = download.PUBLISHED_URL
    if where.startswith(("https://", "http://")):
        return dataset.load(download.download(where, download.cache_directory() / "data"))
    return dataset.load(Path(where))


def fit(options: argparse.Namespace) -> None:
    """Trains and evaluates; the output directory is replaced at the end, by a complete one."""
    chosen = recipe.load(options.recipe, encoder=options.encoder, epochs=options.epochs, seed=options.seed)
    data = read_data(options.data)
    print(f"{len(data.table)} labelled turns ({data.dropped} without text or intent dropped)", flush=True)
    if options.domain:
        data = data.trained_on(options.domain)
    from training.report import report, tables
    from training.run import Run

    name = Path(options.recipe).stem
    output = options.output or Path("classifiers") / name
    workspace = output.parent / f".{output.name}.unfinished"
    pair = encoders.resolve(chosen.encoder, options.preprocess)
    finished = []
    for seed in range(chosen.seed, chosen.seed + options.seeds):
        print(f"training on {pair.name} by recipe {options.recipe}, seed {seed}", flush=True)
        run = Run(name, dataclasses.replace(chosen, seed=seed), pair, data)
        finished.append(run.finish(workspace, lambda line: print(line, flush=True)))
    kept, metrics = report.best(finished)
    shutil.rmtree(output, ignore_errors=True)
    kept.rename(output)
    shutil.rmtree(workspace)
    print(tables.overview(metrics.views))
    print(f"written to {output} after {metrics.minutes:.1f} minutes of training; read {output / report.CARD} first")


def evaluate(options: argparse.Namespace) -> None:
    """Prints the figures of a trained classifier."""
    data = read_data(options.data)
    from training.fit import classifier
    from training.report import metrics, tables
    from training.report.evaluate import evaluate as measure

    evaluations = measure(classifier.load(options.classifier), data, options.with_context)
    view = metrics.WITH_CONTEXT if options.with_context else metrics.TEXT_ALONE
    print(metrics.as_json(evaluations) if options.json else tables.overview({view: evaluations}))


def main(argv: list[str] | None = None) -> int:
    """Runs the command. Errors are one line, exit status 1."""
    options = arguments().parse_args(argv)
    try:
        {"fit": fit, "evaluate": evaluate}[options.command](options)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on after the last finished epoch", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    quiet_tensorflow()
    sys.exit(main())
