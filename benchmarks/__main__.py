"""Repeats published numbers.

python -m benchmarks footprint
python -m benchmarks memory
python -m benchmarks model_server
python -m benchmarks gateway
python -m benchmarks classifiers classifiers/reference classifiers/default
"""

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import classifiers, footprint, gateway_load, gateway_overload, gateway_report, memory, model_server
from serving_config.errors import ServingConfigError
from training.errors import TrainingError


def main() -> int:
    """Runs one benchmark and prints its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Repeat the published numbers.")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="footprint | memory | model_server | gateway | classifiers"
    )
    command = commands.add_parser("footprint", help="start time and resident memory of the gateway alone")
    command.add_argument("--runs", type=int, default=9, help="starts; the medians are reported (default: %(default)s)")
    command = commands.add_parser(
        "memory", help="memory of gateway and model server at rest and under load, against the limits of their units"
    )
    command.add_argument("--models", type=Path, default=Path("models"), help="folder of models (default: %(default)s)")
    command.add_argument("--requests", type=int, default=3000, help="single utterances (default: %(default)s)")
    command = commands.add_parser(
        "model_server", help="CPU that the model server adds to the model, and its memory over many shapes of input"
    )
    command.add_argument(
        "--version", type=Path, default=Path("models/intent/1"), help="directory of the version (default: %(default)s)"
    )
    command.add_argument("--rounds", type=int, default=5, help="medians of so many (default: %(default)s)")
    command.add_argument("--seconds", type=float, default=2, help="of load a round (default: %(default)s)")
    command.add_argument("flags", nargs="*", help="more flags for the server, after --")
    command = commands.add_parser(
        "gateway",
        help="CPU, latency and rate of gateway and model server, what combining gains, and what overload does",
    )
    command.add_argument("--models", type=Path, default=Path("models"), help="folder of models (default: %(default)s)")
    command.add_argument("--rounds", type=int, default=3, help="medians of so many (default: %(default)s)")
    command.add_argument("--seconds", type=int, default=5, help="of load each time (default: %(default)s)")
    command.add_argument("--path", default="/predict", help="where the utterances go (default: %(default)s)")
    command.add_argument(
        "--output", type=Path, default=Path("run/gateway.json"), help="JSON with all figures (default: %(default)s)"
    )
    command = commands.add_parser("classifiers", help="accuracy, size and cost of trained classifiers, side by side")
    command.add_argument("directories", type=Path, nargs="+", help="what `python -m training fit` wrote")
    command.add_argument("--picture", type=Path, help="a PNG of accuracy against size and cost")
    options = parser.parse_args()
    if options.command == "footprint":
        _print_footprint(options.runs)
        return 0
    if options.command == "gateway":
        return _gateway(options)
    if options.command == "memory":
        return _memory(options)
    if options.command == "classifiers":
        return _classifiers(options)
    if not (options.version / "saved_model.pb").exists():
        parser.error(f"{options.version} is no version of a model; `make serve` trains and publishes one")
    _print_model_server(options)
    return 0


def _classifiers(options: argparse.Namespace) -> int:
    try:
        rows = classifiers.measure(options.directories)
    except (OSError, TrainingError) as error:
        print(f"benchmarks: {error}; `python -m training fit` makes a classifier", file=sys.stderr)
        return 1
    print(classifiers.markdown(rows))
    if options.picture:
        classifiers.picture(rows).savefig(options.picture, dpi=120)
    return 0


def _print_footprint(runs: int) -> None:
    figures = footprint.measure(runs)
    print(f"gateway alone, median of {runs} starts: first answer after {figures.start_seconds:.2f} s ", end="")
    print(f"(an empty Python: {figures.python_seconds:.2f} s), resident {figures.resident_mib:.1f} MiB")


def _memory(options: argparse.Namespace) -> int:
    try:
        steps = memory.measure(options.models, options.requests)
    except ServingConfigError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    print("\n".join(memory.table(steps)))
    return 0


def _gateway(options: argparse.Namespace) -> int:
    load = os.getloadavg()[0]
    gateways = {"combined": {}, "each alone": {"max_combined_texts": 1}}
    try:
        costs = gateway_load.measure(
            options.models,
            gateways,
            options.path,
            options.rounds,
            options.seconds,
            lambda line: print(line, file=sys.stderr),
        )
        overload = gateway_overload.measure(options.models, options.path, options.rounds, options.seconds)
    except (gateway_load.NoLoadGeneratorError, ServingConfigError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    print(f"{os.cpu_count()} cores, load of this machine before: {load:.1f}; medians of {options.rounds} rounds\n")
    print(gateway_report.markdown(costs, overload))
    gateway_report.write(options.output, costs, overload)
    print(f"\nall figures: {options.output}")
    failed = gateway_report.failures(costs, overload)
    if failed:
        print(f"benchmarks: {failed} requests failed", file=sys.stderr)
    return int(failed > 0)


def _print_model_server(options: argparse.Namespace) -> None:
    print(f"CPU per single-row request of {options.version}, ms: median (lowest to highest) of {options.rounds} rounds")
    print(f"load of this machine before: {os.getloadavg()[0]:.1f}", flush=True)
    costs = model_server.measure_cpu(options.version, (1, 8), options.rounds, options.seconds, options.flags)
    for cost in costs:
        print(
            f"{cost.connections} connections: server {_spread(cost.server)}, model alone {_spread(cost.session)}, "
            f"difference {cost.difference:.2f}; {statistics.median(cost.rates):.0f} requests a second"
        )
    growth = model_server.measure_memory(options.version, options.flags)
    print(
        f"memory: {growth.before:.0f} MiB, and {growth.after - growth.before:+.0f} MiB after {growth.shapes} "
        "different (batch, length) shapes"
    )


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    sys.exit(main())
