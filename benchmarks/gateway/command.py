"""Command line of `python -m benchmarks gateway`."""

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gateway import load, overload, profile, report
from benchmarks.shared import command_line, generators, services, texts
from serving_config.errors import ServingConfigError

HELP = "what a request costs in gateway and model server, the gateway's CPU by function, and what overload does"
GATEWAYS = {"combined": load.Gateway(), "each alone": load.Gateway(settings={"max_combined_texts": 1})}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of models (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="medians of this many (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=5, help="length of a round (default: %(default)s)")
    parser.add_argument("--path", default="/predict", help="where the utterances go (default: %(default)s)")
    parser.add_argument(
        "--profile-seconds", type=int, default=20, help="load time for the CPU by function (default: %(default)s)"
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="CHECKOUT",
        help="only compare this gateway with that of another checkout, by turns, both in front of a stand-in for the "
        "model server that answers at once; prints a table and writes nothing",
    )
    command_line.add_output(parser, "gateway")


def run(options: argparse.Namespace) -> int:
    """Measures, writes, prints; 1 if requests failed or something is missing."""
    try:
        generators.require("wrk")
        failed = compare(options) if options.against else measure(options)
    except (generators.NoLoadGeneratorError, ServingConfigError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if failed:
        print(f"benchmarks: {failed} requests failed", file=sys.stderr)
    return int(failed > 0)


def compare(options: argparse.Namespace) -> int:
    """Prints what a request costs in this gateway and in the other checkout's; the number of failed requests."""
    gateways = {"this checkout": load.Gateway(), str(options.against): load.Gateway(options.against)}
    plan = load.Plan(options.path, (1, 32), options.rounds, options.seconds)
    with tempfile.TemporaryDirectory() as folder, services.echo() as (pid, address):
        costs = load.measure(gateways, load.Backend(pid, address), texts.write_bodies(Path(folder)), plan, say)
    print("\n".join(report.costs([dataclasses.asdict(cost) for cost in costs])))
    return _failed(costs)


def measure(options: argparse.Namespace) -> int:
    """Writes and prints all figures; the number of failed requests."""
    figures: dict[str, object] = {"path": options.path, "seconds": options.seconds}
    plan = load.Plan(options.path, (1, 8, 32), options.rounds, options.seconds)
    with tempfile.TemporaryDirectory() as folder, services.model_server(options.models, Path(folder)) as (pid, address):
        costs = load.measure(GATEWAYS, load.Backend(pid, address), texts.write_bodies(Path(folder)), plan, say)
    figures["load"] = [dataclasses.asdict(cost) for cost in costs]
    profiles: list[profile.Profile] = []
    try:
        profiles = profile.measure(options.models, options.path, options.profile_seconds, say)
    except profile.ProfileError as error:
        figures["no_profile"] = str(error)
        say(f"no CPU by function: {error}")
    else:
        figures["profile"] = [dataclasses.asdict(each) for each in profiles]
    say("overload")
    scenes, memory = overload.measure(options.models, options.path, options.rounds, options.seconds)
    figures |= {"overload": [scene.figures() for scene in scenes], "memory_mib": memory}
    command_line.deliver(options, "gateway", figures)
    return _failed([*costs, *profiles, *scenes])


def _failed(parts: Sequence[load.Cost | profile.Profile | overload.Scene]) -> int:
    return sum(part.failed for part in parts)


def say(line: str) -> None:
    """Progress, to standard error."""
    print(f"gateway: {line}", file=sys.stderr, flush=True)
