"""How large a fleet must be for a trace, and what happens to it on a steady day, in a rollout, when a zone is lost.

Two plans. `lean`: the target keeps p99 within the objective as long as all is well. `zone-proof`: it does so also with
one zone gone, at the busiest time. The difference is the required headroom, and its price.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.capacity import arrivals
from benchmarks.capacity.arrivals import Array, Trace
from benchmarks.capacity.events import Event, LostZone, Refresh, Rolling, play
from benchmarks.capacity.fleet import Fleet, History, Size
from benchmarks.capacity.prices import Type, bill
from benchmarks.capacity.response import Response
from benchmarks.capacity.template import Policy

TOLERATED = 0.001
"""Share of refused requests up to which a load counts as served."""
MARGIN = 0.9
"""Of the largest load within the objective: what is left is for growth until an alarm rings, and for uneven minutes."""
PLANS = ("lean", "zone-proof")
UNBOUNDED = 10**9
AFTERMATH = 3600
"""Seconds after the loss of a zone in which refusals are put down to it."""


@dataclass(frozen=True)
class Ground:
    """What all scenarios share. `objective` and `start_seconds` in s; `sizes` bytes of a request and of its answer."""

    policy: Policy
    objective: float
    start_seconds: int
    sizes: tuple[float, float]
    seed: int


@dataclass(frozen=True)
class Load:
    """Requests a second and instance: with p99 within the objective, served at all, and for ever on CPU credits."""

    good: float
    capacity: float
    sustained: float


def load(response: Response, type_: Type, ground: Ground) -> Load:
    """What an instance of this type takes."""
    p99, refused = response.at(99), 1 - response.shares.sum(axis=1)
    served = refused <= TOLERATED
    capacity = response.largest(served & (p99 <= ground.policy.alarm_p99))
    good = response.largest(served & (p99 <= ground.objective))
    sustained = capacity if type_.sustained >= 1 else float(np.interp(type_.sustained, response.cpu, response.loads))
    return Load(good, capacity, sustained)


def size(plan: str, trace: Trace, found: Load, ground: Ground) -> Size:
    """Target and bounds of the fleet."""
    zones, target = ground.policy.zones, found.good * MARGIN
    fewest = ground.policy.fewest
    if plan == "zone-proof":
        peak = float(trace.rates[trace.busiest])
        number = zones
        while peak > found.good * MARGIN * (number - math.ceil(number / zones)):
            number += 1
        target *= (zones - 1) / zones
        if number > zones:
            # In the middle between this number and the one below, so that no minute's chance leads to another number.
            target = min(target, peak / (number - 0.5))
        fewest = max(fewest, zones)
    return Size(min(target, found.sustained), fewest, UNBOUNDED, ground.start_seconds)


def run(plan: str, trace: Trace, type_: Type, response: Response, ground: Ground, events: bool) -> dict[str, Any]:
    """All figures of one plan with one type of instance; with `events` also what those do to it."""
    found = load(response, type_, ground)
    wanted = size(plan, trace, found, ground)
    requests = arrivals.counts(trace, ground.seed)
    day = _play(trace, requests, wanted, ground)
    cost = bill(type_, day.paid, requests, ground.sizes, ground.policy.zones)
    figures: dict[str, Any] = {
        "trace": trace.name,
        "plan": plan,
        "type": type_.name,
        "target": wanted.target,
        "requests_per_target": round(wanted.target * 60),
        "capacity": found.capacity,
        "headroom": 1 - wanted.target / found.capacity,
        "instances": [int(day.serving.min()), float(day.serving.mean()), int(day.serving.max())],
        "usd_a_month": {**asdict(cost), "fleet": cost.fleet},
        "steady": _window(response, day, slice(None)),
    }
    if events:
        for name, event in {
            "refresh": Refresh(trace.steepest),
            "rolling": Rolling(trace.steepest),
            "lost_zone": LostZone(trace.busiest),
        }.items():
            history = _play(trace, requests, wanted, ground, event)
            figures[name] = _effect(response, history, day, event)
            if name == "lost_zone":
                figures[name]["timeline"] = _timeline(response, history, event.begin)
        figures["day"] = _means(day)
    return figures


def _play(trace: Trace, requests: Array, wanted: Size, ground: Ground, event: Event | None = None) -> History:
    begin = max(wanted.fewest, math.ceil(trace.rates[:60].mean() / wanted.target))
    return play(Fleet(ground.policy, wanted, begin), requests, event)


def _effect(response: Response, history: History, day: History, event: Event) -> dict[str, Any]:
    """From the event's begin to its end; `refused_without` is the same time of a day without it."""
    end = event.end if event.end is not None else len(history.requests)
    window = slice(event.begin, max(end, event.begin + 60))
    aftermath = slice(event.begin, max(end, event.begin + AFTERMATH))
    bad = np.flatnonzero(_refused(response, history, aftermath) > TOLERATED)
    return {
        **_window(response, history, window),
        "refused_without": _window(response, day, window)["refused"],
        "seconds": end - event.begin if event.end is not None else None,
        "refusing_seconds": int(bad[-1]) + 1 if len(bad) else 0,
        "serving": int(history.serving[event.begin : end].min()),
    }


def _refused(response: Response, history: History, window: slice) -> Array:
    """Share of the requests of each second that get no answer."""
    return 1 - history.reaching[window] * response.answered(history.loads[window])


def _window(response: Response, history: History, window: slice) -> dict[str, float]:
    """p50 and p99 of the answers in ms, and the share of the requests without one."""
    requests, loads = history.requests[window], history.loads[window]
    answers = requests * history.reaching[window]
    refused = float((requests * _refused(response, history, window)).sum() / max(1, requests.sum()))
    p50, p99 = (response.percentile(loads, answers, percent) * 1000 for percent in (50, 99))
    return {"p50": p50, "p99": p99, "refused": round(max(0.0, refused), 6)}


def _means(history: History, step: int = 300) -> dict[str, Any]:
    """Of every `step` seconds: the mean rate, and the fewest instances that serve."""
    count = len(history.requests) // step
    rates = history.requests[: count * step].reshape(count, step).mean(axis=1)
    serving = history.serving[: count * step].reshape(count, step).min(axis=1)
    return {
        "step": step,
        "rate": [round(float(each), 1) for each in rates],
        "serving": [int(each) for each in serving],
    }


def _timeline(response: Response, history: History, begin: int, step: int = 5) -> dict[str, list[float]]:
    """Around the loss of a zone, in steps of 5 s from a minute before it to ten minutes after."""
    seconds = range(max(0, begin - 60), min(len(history.requests), begin + 600) - step, step)
    windows = [_window(response, history, slice(second, second + step)) for second in seconds]
    return {
        "second": [second - begin for second in seconds],
        "serving": [int(history.serving[second]) for second in seconds],
        "p99": [round(each["p99"], 2) for each in windows],
        "refused": [round(each["refused"], 4) for each in windows],
    }
