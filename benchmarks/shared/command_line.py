"""What the commands of several benchmarks share: which classifier is measured, and where the figures go."""

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.shared import results

CLASSIFIERS = (Path("classifiers/default"), Path("classifiers/quick"))


def add_classifier(parser: argparse.ArgumentParser) -> None:
    """`--classifier`, for `chosen`."""
    parser.add_argument(
        "--classifier",
        type=Path,
        help=f"directory that `python -m training fit` wrote (default: {CLASSIFIERS[0]}, else {CLASSIFIERS[1]})",
    )


def chosen(options: argparse.Namespace) -> Path:
    """The directory that was named, or the first of `CLASSIFIERS` that is there."""
    named: Path | None = options.classifier
    return named or next((path for path in CLASSIFIERS if path.exists()), CLASSIFIERS[0])


def add_output(parser: argparse.ArgumentParser, name: str) -> None:
    """`--output` and `--pictures`, for `deliver`."""
    parser.add_argument(
        "--output",
        type=Path,
        default=results.FOLDER / f"{name}.json",
        help="JSON with all figures (default: %(default)s)",
    )
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw into this folder")


def deliver(options: argparse.Namespace, name: str, figures: dict[str, object]) -> dict[str, Any]:
    """Writes the figures, prints their section, draws if asked to; returns what was written."""
    report = import_module(f"benchmarks.{name}.report")
    results.write(options.output, name, figures)
    written = results.read(options.output)
    print(report.markdown(written))
    if options.pictures:
        report.pictures(written, options.pictures)
    print(f"{name}: all figures: {options.output}", file=sys.stderr)
    return written
