"""Repeats published numbers.

python -m benchmarks footprint
"""

import argparse
import sys

from benchmarks import footprint


def main() -> int:
    """Runs one benchmark and prints its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Repeat the published numbers.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="footprint")
    command = commands.add_parser("footprint", help="start time and resident memory of the gateway alone")
    command.add_argument("--runs", type=int, default=9, help="starts; the medians are reported (default: %(default)s)")
    options = parser.parse_args()
    figures = footprint.measure(options.runs)
    print(f"gateway alone, median of {options.runs} starts: first answer after {figures.start_seconds:.2f} s ", end="")
    print(f"(an empty Python: {figures.python_seconds:.2f} s), resident {figures.resident_mib:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
