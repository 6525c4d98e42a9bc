"""The gateway's section of docs/performance.md, from the figures that `command` wrote."""

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PROFILE_PICTURE = "performance-gateway-profile.png"


def markdown(figures: dict[str, Any]) -> str:
    """The section, at heading level 2."""
    machine = figures["machine"]
    memory = ", ".join(f"{each:.1f}" for each in figures["memory_mib"])
    lines = [
        "## The gateway",
        "",
        f"`{figures['command']}`, {figures['when']}, on {machine['cores']} cores ({machine['processor']}, "
        f"{machine['memory_gib']} GiB; load before: {machine['load_before']}). wrk, gateway and model server share "
        f"them; real utterances to `{figures['path']}`, {figures['seconds']} s a round; medians, rounds: "
        f"{len(figures['load'][0]['rounds'])}, taken by turns.",
        "",
        *costs(figures["load"]),
        "",
        "CPU is per request, of all threads of the process. `combined` is the gateway as it is; `each alone` sends "
        "every text in a call of its own (`GATEWAY_MAX_COMBINED_TEXTS=1`). In brackets: lowest to highest round.",
        "",
        "### Where its CPU goes",
        "",
        *(_profile(figures["profile"]) if "profile" in figures else [f"Not measured: {figures['no_profile']}."]),
        "",
        "### With more requests than it takes",
        "",
        *_overload(figures["overload"]),
        "",
        *_compared(figures["overload"]),
        "",
        f"Resident memory of the gateway, MiB after each round: {memory}.",
    ]
    return "\n".join(lines) + "\n"


def pictures(figures: dict[str, Any], folder: Path) -> None:
    """Draws the ms of a request by part."""
    if "profile" not in figures:
        return
    from matplotlib.figure import Figure

    profiles = figures["profile"]
    names = [part["name"] for part in profiles[-1]["parts"]]
    names += [part["name"] for part in profiles[0]["parts"] if part["name"] not in names]
    figure = Figure(figsize=(8, 0.34 * len(names) + 1.3), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(profiles)
    for number, (each, colour) in enumerate(zip(profiles, ("#0072B2", "#E69F00"), strict=True)):
        shares = {part["name"]: part["share"] for part in each["parts"]}
        places = [position + (number - (len(profiles) - 1) / 2) * height for position in range(len(names))]
        widths = [shares.get(name, 0) * each["cpu_ms"] for name in names]
        label = f"{_connections(each['connections'])}: {each['cpu_ms']:.2f} ms a request"
        axes.barh(places, widths, height, color=colour, label=label)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel="CPU of the gateway, ms a request")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", frameon=False)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / PROFILE_PICTURE, dpi=120)


def costs(load: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The table of what a request costs, a line a gateway and number of connections."""
    yield (
        "| connections | requests | requests/s | p50 ms | p90 ms | p99 ms | gateway CPU ms | model server CPU ms "
        "| gateway's share | failed |"
    )
    yield "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    for cost in load:
        rounds = cost["rounds"]
        rates = [each["rate"] for each in rounds]
        own, server = _median(rounds, "gateway"), _median(rounds, "model_server")
        yield (
            f"| {cost['connections']} | {cost['gateway']} | {statistics.median(rates):.0f} "
            f"({min(rates):.0f} to {max(rates):.0f}) | {_median(rounds, 'p50'):.1f} | {_median(rounds, 'p90'):.1f} "
            f"| {_median(rounds, 'p99'):.1f} | {own:.2f} | {server:.2f} | {own / (own + server):.0%} "
            f"| {sum(each['failed'] for each in rounds)} |"
        )


def _profile(profiles: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield f"![CPU of a request by part of the gateway's work](images/{PROFILE_PICTURE})"
    yield ""
    for each in profiles:
        yield (
            f"At {_connections(each['connections'])}: {each['cpu_ms']:.3f} ms of CPU a request ({each['samples']} "
            "samples of its Python thread):"
        )
        yield ""
        yield "| part | share | ms a request | heaviest functions |"
        yield "|---|---:|---:|---|"
        for part in each["parts"]:
            functions = ", ".join(f"`{name}` {share:.1%}" for name, share in part["functions"])
            yield f"| {part['name']} | {part['share']:.1%} | {part['share'] * each['cpu_ms']:.3f} | {functions} |"
        yield ""
    yield (
        "py-spy samples the Python thread; the kernel says what the other threads, all gRPC's, use. A sample belongs "
        "to the innermost function that is one of a part's own; compiled code (msgspec, aiohttp's parser, gRPC's core) "
        "counts where it is called."
    )
    if not all(each["has_own_core"] for each in profiles):
        yield (
            "The gateway had to share its core: time in which it waited for it counts too, so that parts which wake "
            "other processes look heavier than they are."
        )


def _overload(scenes: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "| overload | connections | answered | p50 ms | p99 ms | refused, Retry-After | their p99 ms | else |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for scene in scenes:
        rounds = scene["rounds"]
        others = sum(sum(each["else"].values()) for each in rounds)
        yield (
            f"| {scene['scene']} | {scene['connections']} | {sum(each['answered'] for each in rounds)} "
            f"| {_median(rounds, 'p50_ms'):.1f} | {_median(rounds, 'p99_ms'):.1f} "
            f"| {sum(each['refused'] for each in rounds)} | {_median(rounds, 'refused_p99_ms'):.1f} | {others} |"
        )


def _compared(scenes: Sequence[dict[str, Any]]) -> Iterator[str]:
    alone, full, *crowds = (_median(scene["rounds"], "p99_ms") for scene in scenes)
    for scene, p99 in zip(scenes[2:], crowds, strict=True):
        yield (
            f"- {scene['scene']}: p99 of the answered {p99 / full:.1f} times that of as many as are taken, "
            f"{p99 / alone:.1f} times that of one at a time"
        )


def _median(rounds: Sequence[dict[str, Any]], name: str) -> float:
    return float(statistics.median(each[name] for each in rounds))


def _connections(count: int) -> str:
    return f"{count} connection{'s' if count > 1 else ''}"
