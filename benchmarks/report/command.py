"""docs/performance.md and its appendix, written from page.md, appendix.md and the result files.

The page has answers, the appendix a section for each result file.
"""

import argparse
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.report.answers import answers
from benchmarks.shared import results

HELP = "write docs/performance.md, its appendix and pictures from the result files"
# Each has a module benchmarks.<name>.report, with markdown(figures) and pictures(figures, folder). The figures are in
# <name>.json, and in <name>-*.json if the same was measured with something else.
SECTIONS = ("serving", "model", "precision", "gateway", "training")
PAGE, APPENDIX = (Path(__file__).with_name(name) for name in ("page.md", "appendix.md"))
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
    texts = {
        options.document: page(figures),
        options.document.with_name(f"{options.document.stem}-appendix.md"): appendix(figures),
    }
    images = options.document.parent / "images"
    if options.check:
        return _check(texts, images)
    for each in _with_sections(figures):
        _report(each).pictures(each, images)
    for path, text in texts.items():
        sibling = path.with_name(f".{path.name}")
        sibling.write_text(text)
        sibling.replace(path)
        print(f"{path}: {', '.join(figures) or 'no results yet'}", file=sys.stderr)
    return 0


def read_all(folder: Path) -> dict[str, dict[str, Any]]:
    """The figures by file name, in the order of the sections.

    Raises:
        ValueError: a file is no result of its benchmark.
    """
    figures = {}
    for name in (*SECTIONS, "footprint"):
        for path in (folder / f"{name}.json", *sorted(folder.glob(f"{name}-*.json"))):
            if path.exists():
                figures[path.stem] = each = results.read(path)
                if each["benchmark"] != name:
                    raise ValueError(f"{path} is a result of `{each['benchmark']}`; measure `{name}` again")
    return figures


def page(figures: dict[str, dict[str, Any]]) -> str:
    """The text of docs/performance.md."""
    return PAGE.read_text().format(**answers(figures))


def appendix(figures: dict[str, dict[str, Any]]) -> str:
    """The text of docs/performance-appendix.md."""
    before, after = APPENDIX.read_text().split(MARKER)
    sections = [_report(each).markdown(each).strip() for each in _with_sections(figures)]
    return before + "".join(f"{section}\n\n" for section in sections) + after.lstrip("\n")


def _with_sections(figures: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in figures.values() if each["benchmark"] in SECTIONS]


def _report(figures: dict[str, Any]) -> Any:
    return import_module(f"benchmarks.{figures['benchmark']}.report")


def _check(texts: dict[Path, str], images: Path) -> int:
    found = [f"{path} is not what the results give" for path, text in texts.items() if _other(path, text)]
    missing = [name for text in texts.values() for name in _PICTURE.findall(text) if not (images / name).exists()]
    found += [f"{images} lacks {', '.join(missing)}"] if missing else []
    for line in found:
        print(f"benchmarks: {line}; run `python -m benchmarks report`", file=sys.stderr)
    return int(bool(found))


def _other(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text() != text
