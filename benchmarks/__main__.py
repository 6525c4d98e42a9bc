"""Repeats published numbers: `python -m benchmarks --help` lists the commands."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

# In the order of --help. Each is a folder whose `command` has HELP, add_arguments(parser) and run(options), and imports
# little.
COMMANDS = (
    "serving",
    "model",
    "precision",
    "gateway",
    "training",
    "memory",
    "footprint",
    "classifiers",
    "report",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Repeat the published numbers.")
    commands = parser.add_subparsers(dest="benchmark", required=True, metavar="COMMAND", title="commands")
    modules = {name: import_module(f"benchmarks.{name}.command") for name in COMMANDS}
    for name, module in modules.items():
        module.add_arguments(commands.add_parser(name, help=module.HELP, description=module.HELP))
    options = parser.parse_args(arguments)
    try:
        return int(modules[options.benchmark].run(options))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
