"""Command line of the benchmark: measures, validates, simulates, reports."""

import argparse
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from benchmarks import command_line, results
from benchmarks.capacity.errors import CapacityError

NAME = "capacity"
HELP = "how many instances and dollars a load needs, simulated from measured costs and held against a real run"
BOOT_SECONDS = 60
"""From a launch until the services start: Ubuntu on EC2. Assumed, never measured."""
READY_SECONDS = 120
LONG = 7200
"""Seconds of a constant trace."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of models (default: %(default)s)")
    parser.add_argument(
        "--rates",
        type=float,
        nargs="+",
        default=[10, 1000, 100_000],
        help="requests a second at the peak (10 1000 100000)",
    )
    parser.add_argument(
        "--arrivals", choices=("day", "constant"), default="day", help="a daily curve or always the rate (%(default)s)"
    )
    parser.add_argument("--trace", type=Path, help="CSV of seconds,requests instead of --rates and --arrivals")
    parser.add_argument("--costs", type=Path, help="an earlier result: take its costs and validation, measure nothing")
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=6, help="of load each time (default: %(default)s)")
    parser.add_argument("--p99", type=float, default=100, help="objective of a steady fleet, ms (default: %(default)s)")
    parser.add_argument(
        "--boot-seconds", type=int, default=BOOT_SECONDS, help="from launch to services, assumed (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of arrivals and rows (default: %(default)s)")
    command_line.add_output(parser, NAME)


def run(options: argparse.Namespace) -> int:
    """Exit status: 0, or 1 if nothing could be measured or a request failed."""
    from benchmarks.capacity import validation
    from benchmarks.gateway_load import NoLoadGeneratorError
    from serving_config.errors import ServingConfigError

    try:
        figures = _figures(options)
    except (CapacityError, NoLoadGeneratorError, ServingConfigError) as error:
        _say(f"benchmarks: {error}")
        return 1
    figures = command_line.deliver(options, NAME, figures)
    failed = sum(each["failed"] for each in figures["costs"]["rounds"])
    unanswered = sum(each["measured"]["failed"] > 0 for each in validation.rounds(figures["validation"]))
    if failed or unanswered:
        _say(f"benchmarks: {failed} requests failed under wrk, and some in {unanswered} replays")
    return int(bool(failed or unanswered))


def _figures(options: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.capacity import arrivals, costs, plans

    # A trace that cannot be read should not cost minutes of measuring.
    traces = [arrivals.read(options.trace)] if options.trace else []
    if not traces and options.arrivals == "constant":
        traces = [arrivals.constant(rate, LONG) for rate in options.rates]
    traces = traces or [arrivals.daily(rate) for rate in options.rates]
    if options.costs:
        measured = costs.read(options.costs)
        compared = results.read(options.costs)["validation"]
    else:
        measured, compared = _measure(options)
    sizes = compared["request_bytes"], compared["response_bytes"]
    objective = options.p99 / 1000
    simulated = plans.simulate(measured, sizes, traces, objective, options.boot_seconds, options.seed, _say)
    return {"costs": costs.as_json(measured), "validation": compared, **simulated}


def _measure(options: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    from benchmarks import services
    from benchmarks.capacity import costs, template, validation
    from benchmarks.gateway_load import utterances, write_bodies

    texts = utterances()
    with ExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _say("costs: starting model server and gateway")
        began = time.perf_counter()
        server, address = stack.enter_context(services.model_server(options.models, state))
        # An instance's settings, so that the refusals are an instance's too.
        gateway, port = stack.enter_context(services.gateway(address, **template.instance_settings()))
        _wait_until_ready(port)
        started = time.perf_counter() - began
        pair = costs.Pair(gateway, server, port)
        rounds = costs.load(pair, write_bodies(state), options.rounds, options.seconds, _say)
        measured = costs.measured(rounds, started, *template.batching())
        limits = template.limits(measured.threads, measured.batch_rows)
        return measured, validation.compare(pair, texts, measured, limits, options.rounds, options.seconds, _say)


def _wait_until_ready(port: int) -> None:
    """The gateway listens before the model is loaded.

    Raises:
        CapacityError: it does not get ready.
    """
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        # Also an HTTP status that is an error, which 503 is.
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
            return
        time.sleep(0.05)
    raise CapacityError(f"/readyz did not say 200 within {READY_SECONDS} s; `python -m serving_config start` says why")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
