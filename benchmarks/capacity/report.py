"""The section of docs/performance.md, and its pictures."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.capacity import drawing
from benchmarks.capacity.validation import error, medians, rounds

pictures = drawing.pictures
QUIET = 0.1
"""Share of the cores that others may use while real latencies are compared with simulated ones."""
HOURS = 730
"""In a month."""


def markdown(figures: dict[str, Any]) -> str:
    """From `## Capacity` on."""
    parts = (_introduction, _costs, _validation, _fleets, _events, _types, _limits)
    return "\n\n".join(["## Capacity", *(block for part in parts for block in part(figures))])


def _introduction(figures: dict[str, Any]) -> Iterator[str]:
    machine = figures["machine"]
    yield _prose(
        "How many instances and dollars a load needs, at which latency, and what a rollout or a lost zone does. Costs",
        "are measured on one gateway and one model server; the fleet is simulated from them, with the numbers of the",
        "templates.",
    )
    yield f"```console\n$ .venv/bin/{figures['command']}\n```"
    yield _prose(
        f"{figures['when']}, {machine['cores']} cores ({machine['processor']}),",
        f"load before: {machine['load_before']:.2f}.",
    )


def _costs(figures: dict[str, Any]) -> Iterator[str]:
    measured, costs = figures["costs"], figures["costs"]["costs"]
    yield "### Measured costs"
    named = {
        "gateway, a request": "gateway_request",
        "gateway, a call to the model server": "gateway_call",
        "model server, a call": "model_call",
        "model server, a row": "model_row",
    }
    yield _table(("what", "CPU, ms"), [(name, f"{costs[key] * 1000:.2f}") for name, key in named.items()])
    yield _prose(
        "CPU per request is a straight line over calls per request; the slope is what a call costs. Load by wrk over",
        f"1, 8 and 32 connections; the best rate was {measured['capacity']:.0f} a second. Both services were ready",
        f"{measured['start_seconds']:.1f} s after their start. Rows differ in cost: the standard deviation of the",
        f"logarithm is {measured['variation']:.2f}.",
    )


def _validation(figures: dict[str, Any]) -> Iterator[str]:
    validation = figures["validation"]
    levels, burst = validation["levels"], validation["burst"]
    yield "### Simulated against measured"
    yield _prose(
        "One real instance on loopback is given Poisson arrivals, whether it has answered the earlier ones or not; the",
        "simulation is given the same instants. The client's CPU is in both.",
    )
    rows = [_compared(f"{level['share']:.0%} of the best rate", level["rounds"]) for level in levels]
    calm, much = burst["calm"], burst["burst"]
    rows.append(_compared(f"burst: {calm:.0%}, {burst['seconds'][1]} s of {much:.0%}, {calm:.0%}", burst["rounds"]))
    yield _table(("load", "p50, ms", "p99, ms", "answers a second", "CPU", "503"), rows)
    p50, p99 = (max(abs(error(each["rounds"], name)) for each in levels) for name in ("p50", "p99"))
    yield _prose(
        f"Measured → simulated (error of the simulation), medians of {len(burst['rounds'])} rounds. Below the burst",
        f"the largest error is {p50:.0%} of p50 and {p99:.0%} of p99. Processes that are no part of this used up to",
        f"{max(each['others'] for each in rounds(validation)):.0%} of the cores during a replay; the simulation has",
        "what they left, but does not know the moments at which they took it.",
    )
    if any(each["others"] > QUIET for each in rounds(validation)):
        yield "That is too much for a comparison; repeat it on a machine that does nothing else."
    yield "![p50 and p99 against load, measured and simulated](images/performance-capacity-validation.png)"


def _compared(name: str, found: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    real, model = medians(found, "measured"), medians(found, "simulated")
    cells = [
        f"{getattr(real, key):.{places}f} → {getattr(model, key):.{places}f} ({error(found, key):+.0%})"
        for key, places in (("p50", 1), ("p99", 1), ("rate", 0))
    ]
    cells.append(f"{real.cpu:.0%} → {model.cpu:.0%} ({error(found, 'cpu'):+.0%})")
    return (name, *cells, f"{real.refused:.1%} → {model.refused:.1%}")


def _fleets(figures: dict[str, Any]) -> Iterator[str]:
    policy = figures["policy"]
    yield "### Instances and dollars"
    heading = ("peak a second", "plan", "type", "instances, least / mean / most", "RequestsPerTarget", "headroom")
    heading += ("USD an hour", "USD a month", "traffic out, USD a month", "p50, ms", "p99, ms", "refused")
    rows = []
    for fleet, plan in _plans(figures):
        usd = plan["usd_a_month"]
        rows.append(
            (
                f"{fleet['peak']:,.0f}",
                plan["plan"],
                plan["type"],
                "{} / {:.1f} / {}".format(*plan["instances"]),
                f"{plan['requests_per_target']:,}",
                f"{plan['headroom']:.0%}",
                f"{usd['fleet'] / HOURS:,.2f}",
                f"{usd['fleet']:,.0f}",
                f"{usd['traffic']:,.0f}",
                *_window(plan["steady"]),
            )
        )
    yield _table(heading, rows)
    yield _prose(
        f"`lean` keeps p99 within {figures['assumed']['p99_ms']:g} ms on a steady day. `zone-proof` also does while",
        f"one of {policy['zones']} zones is gone at the peak, and never has fewer instances than zones. The type is",
        "the cheapest for the zone-proof plan. Headroom is the part of an instance's capacity that the target leaves",
        "free; a burstable type has more of it than the plan asks for, as its CPU credits must last.",
    )
    if max(plan["instances"][2] for _, plan in _plans(figures)) > policy["most"]:
        yield _prose(
            f"The template takes a MaxSize of at most {policy['most']}. The larger fleets here need that limit raised,",
            "the account's quotas with it, and beyond 1,000 instances more than one target group.",
        )
    yield "![Load and instances over the day](images/performance-capacity-day.png)"


def _events(figures: dict[str, Any]) -> Iterator[str]:
    assumed = figures["assumed"]
    yield "### Rollout and lost zone"
    heading = ("peak a second", "plan", "refresh takes", "p99, ms", "refused", "rolling update takes", "p99, ms")
    heading += ("refused", "zone lost: p99, ms", "failed", "failing for", "as many again after")
    rows = []
    for fleet, plan in _plans(figures):
        lost, rollouts = plan["lost_zone"], (plan["refresh"], plan["rolling"])
        cells = [(_time(each["seconds"]), f"{each['p99']:.0f}", _refused(each)) for each in rollouts]
        ends = f"{lost['p99']:.0f}", f"{lost['refused']:.1%}", _time(lost["refusing_seconds"]), _time(lost["seconds"])
        rows.append((f"{fleet['peak']:,.0f}", plan["plan"], *cells[0], *cells[1], *ends))
    yield _table(heading, rows)
    yield _prose(
        f"A new instance is asked {assumed['start_seconds']} s after its launch, {assumed['boot_seconds']} s of which",
        "are assumed for booting. The load balancer asks lost instances for another",
        f"{figures['policy']['out_of_rotation']} s, so even a fleet with room enough fails requests so long. `Failed`",
        "is the share from the loss until as many serve as before. Rollouts begin with the day's steepest ten minutes;",
        "in brackets is what that time refuses without one.",
        "A rolling update suspends scaling meanwhile, and where the load has scaled the fleet beyond DesiredCapacity",
        "it ends an instance before it starts one. The minutes in which a refresh watches alarms at",
        "its end are not in its time.",
    )
    yield "![Instances, p99 and failures around the loss of a zone](images/performance-capacity-zone.png)"


def _types(figures: dict[str, Any]) -> Iterator[str]:
    yield "### Types of instance"
    heading = ("type", "cores", "USD an hour", "a second within the objective", "at most", "for ever", "price read")
    peaks = [f"{fleet['peak']:,.0f} a second: USD a month" for fleet in figures["fleets"]]
    rows = []
    for number, type_ in enumerate(figures["types"]):
        loads = [f"{type_['load'][name]:.0f}" for name in ("good", "capacity", "sustained")]
        bills = [f"{fleet['types'][number]['usd_a_month']['fleet']:,.0f}" for fleet in figures["fleets"]]
        rows.append(
            (type_["name"], str(type_["cores"]), f"{type_['usd_an_hour']:g}", *loads, type_["read"], *bills),
        )
    yield _table((*heading, *peaks), rows)
    yield _prose("Of the zone-proof plan. `For ever` is what the CPU credits of a burstable type allow.")


def _limits(figures: dict[str, Any]) -> Iterator[str]:
    yield "What the simulation does not know:"
    items = (
        f"A core of an instance is taken to be as fast as one of this machine ({figures['machine']['processor']}).",
        "Assumed are the time to boot, the minute in which Auto Scaling replaces what is lost, the shape of the day, "
        "and 100 requests a connection. Nothing of it has run on AWS.",
        "The load balancer is taken to spread any load evenly and at once. The network is not in the latencies.",
        "The bill leaves out metrics, logs, images and discounts. Traffic out is at the price of the first 10 TB, to "
        "clients on the internet.",
    )
    yield "\n".join(textwrap.fill(f"- {item}", 120, subsequent_indent="  ") for item in items)


def _plans(figures: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [(fleet, plan) for fleet in figures["fleets"] for plan in fleet["plans"]]


def _window(found: dict[str, float]) -> tuple[str, str, str]:
    return f"{found['p50']:.1f}", f"{found['p99']:.0f}", f"{found['refused']:.2%}"


def _refused(found: dict[str, float]) -> str:
    return f"{found['refused']:.1%} ({found['refused_without']:.1%})"


def _time(seconds: int | None) -> str:
    if seconds is None:
        return "longer than the trace"
    if seconds < 600:
        return f"{seconds} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heading)} |", "|---|" + "---:|" * (len(heading) - 1)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _prose(*lines: str) -> str:
    return textwrap.fill(" ".join(lines), 120, break_long_words=False, break_on_hyphens=False)
