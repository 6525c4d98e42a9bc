"""All plans of all traces: the cheapest type of instance for each, and what happens to its fleet."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.capacity import prices, response, scenarios, template
from benchmarks.capacity.arrivals import Trace
from benchmarks.capacity.costs import Measured
from benchmarks.capacity.errors import CapacityError
from benchmarks.capacity.scenarios import PLANS, Ground


def simulate(
    measured: Measured,
    sizes: tuple[float, float],
    traces: Sequence[Trace],
    objective: float,
    boot_seconds: int,
    seed: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The part of the figures that is simulated. `sizes` are bytes of a request and of its answer; `objective` in s.

    Raises:
        CapacityError: no load is small enough for the objective.
    """
    policy = template.policy()
    limits = template.limits(measured.threads, measured.batch_rows)
    start = boot_seconds + round(measured.start_seconds) + policy.into_rotation
    ground = Ground(policy, objective, start, sizes, seed)
    responses = {}
    for type_ in prices.TYPES:
        say(f"simulation: one {type_.name} at every load")
        responses[type_] = response.simulate_loads(measured.costs, limits, type_.cores, measured.variation, seed)
        if not scenarios.load(responses[type_], type_, ground).good:
            raise CapacityError(
                f"no load of a {type_.name} keeps p99 within {objective * 1000:g} ms; give a larger --p99"
            )
    fleets = []
    for trace in traces:
        say(f"simulation: fleets for {trace.name}")
        found = [
            scenarios.run("zone-proof", trace, type_, responses[type_], ground, events=False) for type_ in prices.TYPES
        ]
        cheapest = min(prices.TYPES, key=lambda type_: found[prices.TYPES.index(type_)]["usd_a_month"]["fleet"])
        plans = [scenarios.run(plan, trace, cheapest, responses[cheapest], ground, events=True) for plan in PLANS]
        peak = float(trace.rates[trace.busiest])
        fleets.append({"trace": trace.name, "peak": peak, "types": found, "plans": plans})
    return {
        "policy": asdict(policy),
        "limits": asdict(limits),
        "assumed": {"boot_seconds": boot_seconds, "start_seconds": start, "p99_ms": objective * 1000, "seed": seed},
        "types": [_type(type_, responses[type_], ground) for type_ in prices.TYPES],
        "fleets": fleets,
    }


def _type(type_: prices.Type, answers: response.Response, ground: Ground) -> dict[str, Any]:
    return {
        "name": type_.name,
        "cores": type_.cores,
        "sustained": type_.sustained,
        "usd_an_hour": float(type_.price.usd),
        "read": type_.price.read,
        "load": asdict(scenarios.load(answers, type_, ground)),
        "curve": {
            "rate": [float(each) for each in answers.loads],
            "p50": [float(each) * 1000 for each in answers.at(50)],
            "p99": [float(each) * 1000 for each in answers.at(99)],
            "answered": [float(each) for each in answers.shares.sum(axis=1)],
            "cpu": [float(each) for each in answers.cpu],
        },
    }
