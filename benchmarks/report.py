"""docs/performance.md: the hand-written benchmarks/performance.md, and in it a section from each result file."""

import argparse
import re
import sys
from importlib import import_module
from pathlib import Path

from benchmarks import results

HELP = "write docs/performance.md and its pictures from the result files"
# Each in benchmarks.<name>.report, with markdown(figures) and pictures(figures, folder); from <name>.json, and from
# <name>-*.json where the same was measured of something else as well.
SECTIONS = ("serving", "model", "precision", "gateway", "training")
TEMPLATE = Path(__file__).parent / "performance.md"
MARKER = "<!-- measured -->\n"
_PICTURE = re.compile(r"\(images/(performance-[^)]+)\)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument(
        "--results", type=Path, default=results.FOLDER, metavar="DIR", help="where they are (default: %(default)s)"
    )
    parser.add_argument(
        "--document", type=Path, default=Path("docs/performance.md"), help="what to write (default: %(default)s)"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the document is another")


def run(options: argparse.Namespace) -> int:
    """Writes or checks; 1 if a result cannot be read, or the document is not what the results give."""
    try:
        figures = read_all(options.results)
    except ValueError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    text, images = document(figures), options.document.parent / "images"
    if options.check:
        return _check(options.document, text, images)
    for each in figures.values():
        import_module(f"benchmarks.{each['benchmark']}.report").pictures(each, images)
    sibling = options.document.with_name(f".{options.document.name}")
    sibling.write_text(text)
    sibling.replace(options.document)
    print(f"{options.document}: {', '.join(figures) or 'no results yet'}", file=sys.stderr)
    return 0


def read_all(folder: Path) -> dict[str, dict[str, object]]:
    """The figures by file name, in the order of the sections.

    Raises:
        ValueError: a file is no result of its benchmark.
    """
    figures = {}
    for name in SECTIONS:
        for path in (folder / f"{name}.json", *sorted(folder.glob(f"{name}-*.json"))):
            if path.exists():
                figures[path.stem] = each = results.read(path)
                if each["benchmark"] != name:
                    raise ValueError(f"{path} is a result of `{each['benchmark']}`; measure `{name}` again")
    return figures


def document(figures: dict[str, dict[str, object]]) -> str:
    """The whole text."""
    before, after = TEMPLATE.read_text().split(MARKER)
    sections = [
        import_module(f"benchmarks.{each['benchmark']}.report").markdown(each).strip() for each in figures.values()
    ]
    return before + "".join(f"{section}\n\n" for section in sections) + after.lstrip("\n")


def _check(path: Path, text: str, images: Path) -> int:
    missing = [name for name in _PICTURE.findall(text) if not (images / name).exists()]
    if path.exists() and path.read_text() == text and not missing:
        return 0
    reason = f"{images} lacks {', '.join(missing)}" if missing else f"{path} is not what the results give"
    print(f"benchmarks: {reason}; run `python -m benchmarks report`", file=sys.stderr)
    return 1
