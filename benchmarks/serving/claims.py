"""The aims of a run, and whether its figures meet them."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.serving.measured import Figures, Measured, Spread
from benchmarks.serving.rounds import BASELINE, GATEWAY, SINGLE

MANY = 32


@dataclass(frozen=True)
class Claim:
    """One aim, in words, what was found, and whether that is enough."""

    aim: str
    found: str
    met: bool


def claims(figures: Figures) -> list[Claim]:
    """Those that this run has the figures for."""
    measured = Measured(figures)
    found = [*_against_baseline(measured), *_against_limits(measured)]
    if "long" in figures:
        found.append(_tail(figures["long"]))
    found += _memory(figures)
    return found


def _against_baseline(measured: Measured) -> Iterator[Claim]:
    for connections, aim in ((MANY, 150), (1, 60)):
        ours, theirs = (GATEWAY, connections), (BASELINE, connections)
        if measured.has(ours, theirs):
            words = f"at {connections} {'connection' if connections == 1 else 'connections'}"
            ratio = measured.ratio(ours, theirs, "rate")
            yield _at_least(f"at least {aim} times the baseline's requests a second {words}", ratio, aim, ".0f")
            if connections == 1:
                ratio = measured.ratio(theirs, ours, "p50")
                yield _at_least(f"p50 {words} at most 1/60 of the baseline's: baseline / ours", ratio, 60, ".0f")


def _against_limits(measured: Measured) -> Iterator[Claim]:
    ours = GATEWAY, MANY
    limit = measured.limit()
    if limit and measured.has(ours):
        ratio = measured.ratio(ours, (limit, 0), "rate")
        yield _at_least(f"at least 60 % of the rows a second in process, at {MANY} connections", ratio, 0.6, ".0%")
    if measured.has(ours):
        share = measured.share(*ours, "gateway")
        aim = f"gateway at most 20 % of the CPU of a request at {MANY} connections"
        yield Claim(aim, share.text(".0%"), share.median <= 0.2)
    if measured.has(ours, (SINGLE, MANY)):
        ratio = measured.ratio(ours, (SINGLE, MANY), "rate")
        yield _at_least(f"at least 80 % of the requests a second by gRPC, at {MANY} connections", ratio, 0.8, ".0%")


def _at_least(aim: str, ratio: Spread, least: float, form: str) -> Claim:
    return Claim(aim, ratio.text(form), ratio.median >= least)


def _tail(long: Figures) -> Claim:
    ratio = long["p99"] / long["p50"]
    aim = f"p99 at most 3 times p50 at {long['connections']} connections over {long['seconds']:.0f} s"
    return Claim(aim, f"{ratio:.1f} ({long['p99']:.0f} / {long['p50']:.0f} ms)", ratio <= 3)


def _memory(figures: Figures) -> Iterator[Claim]:
    soak = figures.get("soak")
    held = [each["gateway"] for each in figures["memory"].values() if "gateway" in each]
    if soak:
        held += [point["gateway"] for point in soak["points"]]
    if held:
        most = max(each["resident"] for each in held)
        yield Claim("gateway under 60 MiB a worker", f"{most:.1f} MiB", most < 60)
    if soak:
        before, after = growth(soak)
        grown = after / before - 1
        requests = soak["points"][-1]["requests"] - soak["warm_up_requests"]
        aim = f"model server's private memory grows by less than 10 % over {requests:,} requests of mixed shapes"
        yield Claim(aim, f"{grown:+.1%} ({before:.0f} to {after:.0f} MiB)", grown < 0.1)


def growth(soak: Figures) -> tuple[float, float]:
    """The model server's private memory in MiB after the warm-up, and at the end."""
    warm = next(point for point in soak["points"] if point["requests"] >= soak["warm_up_requests"])
    return warm["model server"]["private"], soak["points"][-1]["model server"]["private"]
