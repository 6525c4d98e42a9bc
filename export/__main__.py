"""Publishes trained classifiers as SavedModel versions, and lists them.

    python -m export publish --classifier classifiers/quick --models models/intent
    python -m export list --models models/intent

A running model server takes a new version within its poll interval, without a restart.
"""

import argparse
import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from export import versions
from export.errors import ExportError
from training.errors import TrainingError
from training.quiet import quiet_tensorflow

# The model's name is the name of its directory: models/intent -> intent.
MODELS = Path("models/intent")
# The files of the report that are copied into a version, for people.
REPORT = ("MODEL_CARD.md", "metrics.json", "*.csv", "*.png")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m export", description="Publish trained classifiers as model versions."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="publish | list")
    publish = commands.add_parser("publish", help="build, check and publish the next version")
    publish.add_argument(
        "--classifier", type=Path, required=True, help="a directory that `python -m training fit` wrote"
    )
    publish.add_argument("--models", type=Path, default=MODELS, help="directory of the versions (default: %(default)s)")
    publish.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of dense layers and attention. bfloat16 makes a full batch more than twice as fast if the CPU has AMX "
        "(Intel since 2023; on AWS m7i, c7i) and TF_ENABLE_ONEDNN_OPTS is 1, and gains nothing otherwise (default: "
        "%(default)s)",
    )
    listing = commands.add_parser("list", help="list the published versions; exit status 1 if there are none")
    listing.add_argument("--models", type=Path, default=MODELS, help="directory of the versions (default: %(default)s)")
    listing.add_argument("--quiet", action="store_true", help="print nothing, only the exit status")
    return parser


def publish(options: argparse.Namespace) -> int:
    """Writes and checks the next version under a temporary name, and then renames it to its number."""
    from export import check, ops, signatures, warmup
    from training.fit import classifier

    trained = classifier.load(options.classifier)
    with versions.unpublished(options.models) as part:
        print(f"writing the SavedModel of {options.classifier}", flush=True)
        signatures.write(trained, part, options.precision)
        ops.check_ops(part)
        print("checked: the stock model server has every op of it", flush=True)
        check.check_answers(part, trained, options.precision)
        print("checked: a v1 session answers as the classifier does", flush=True)
        warmup.write(part, options.models.name, dialogue=trained.context != "none")
        for file in (file for pattern in REPORT for file in sorted(options.classifier.glob(pattern))):
            shutil.copy(file, part / warmup.FILE.parent)
        version = versions.publish(part, options.models)
    print(f"published version {version.number} at {version.path}")
    return 0


def list_versions(options: argparse.Namespace) -> int:
    """One line a version, newest last."""
    found = versions.published(options.models)
    if not found and not options.quiet:
        print(f"no version in {options.models}; `make serve` or `make train` makes one", file=sys.stderr)
    if found and not options.quiet:
        print(f"{'version':>7}  {'published':16}  {'MB':>5}  {'test accuracy':>13}  trained")
        for version in found:
            print(_line(version))
    return 0 if found else 1


def _line(version: versions.Version) -> str:
    published = datetime.fromtimestamp(version.path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M")
    megabytes = sum(file.stat().st_size for file in version.path.rglob("*") if file.is_file()) / 1e6
    card = version.path / "assets.extra" / "metrics.json"
    accuracy, trained = "-", "-"
    if card.exists():
        metrics = json.loads(card.read_text())
        trained = f"{metrics['encoder']} by recipe {metrics['recipe_name']}"
        accuracy = f"{metrics['splits']['test']['accuracy']:.4f}" if "test" in metrics["splits"] else "-"
    return f"{version.number:>7}  {published:16}  {megabytes:>5.1f}  {accuracy:>13}  {trained}"


def main(argv: list[str] | None = None) -> int:
    """Runs the command; errors are one line, exit status 1."""
    options = arguments().parse_args(argv)
    try:
        return {"publish": publish, "list": list_versions}[options.command](options)
    except (ExportError, TrainingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    quiet_tensorflow()
    sys.exit(main())
