"""Command line of cloudformation.documents: `python -m cloudformation.documents [--check]`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cloudformation.documents.generated import DOCS, made


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 a document is not what the templates say (`--check`), 2 a wrong command line."""
    parser = argparse.ArgumentParser(
        prog="python -m cloudformation.documents",
        description="Write what docs/ says of the templates: parameters, alarms, costs, the picture.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if something would change")
    options = parser.parse_args(arguments)
    stale = {path: content for path, content in made(DOCS).items() if not _has(path, content)}
    for path, content in stale.items():
        print(f"{path}: {'is not what the templates say' if options.check else 'written'}")
        if not options.check:
            path.write_text(content)
    return int(options.check and bool(stale))


def _has(path: Path, content: str) -> bool:
    return path.exists() and path.read_text() == content


if __name__ == "__main__":
    sys.exit(main())
