"""Command line of `python -m benchmarks gateway`."""

import argparse
import dataclasses
import sys
from pathlib import Path

from benchmarks import command_line, gateway_load
from benchmarks.gateway import overload, profile
from serving_config.errors import ServingConfigError

HELP = "what a request costs in gateway and model server, the gateway's CPU by function, and what overload does"
GATEWAYS = {"combined": {}, "each alone": {"max_combined_texts": 1}}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of models (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=5, help="of load each time (default: %(default)s)")
    parser.add_argument("--path", default="/predict", help="where the utterances go (default: %(default)s)")
    parser.add_argument(
        "--profile-seconds", type=int, default=20, help="of load for the CPU by function (default: %(default)s)"
    )
    command_line.add_output(parser, "gateway")


def run(options: argparse.Namespace) -> int:
    """Measures, writes, prints; 1 if requests failed or something is missing."""

    def say(line: str) -> None:
        print(f"gateway: {line}", file=sys.stderr)

    figures: dict[str, object] = {"path": options.path, "seconds": options.seconds}
    try:
        costs = gateway_load.measure(options.models, GATEWAYS, options.path, options.rounds, options.seconds, say)
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
    except (gateway_load.NoLoadGeneratorError, ServingConfigError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    command_line.deliver(options, "gateway", figures)
    failed = sum(each.failed for each in (*costs, *profiles, *scenes))
    if failed:
        print(f"benchmarks: {failed} requests failed", file=sys.stderr)
    return int(failed > 0)
