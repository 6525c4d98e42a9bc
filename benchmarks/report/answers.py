"""The numbers of docs/performance.md, as tables and sentences made from the result files."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.serving.measured import Measured, subject
from benchmarks.serving.rounds import BASELINE, GATEWAY

Figures = Mapping[str, Any]


def answers(results: Mapping[str, Figures]) -> dict[str, str]:
    """The text for every place of the page; a result that is missing leaves its place empty."""
    served = [each for each in results.values() if each["benchmark"] == "serving"]
    return {
        "speed": "\n".join(_speed(served)),
        "limits": "\n".join(_limits(served)),
        "memory": "\n".join(_memory(served)),
        "overload": "\n".join(_overload(results["gateway"])) if "gateway" in results else "",
        "footprint": _footprint(results["footprint"]) if "footprint" in results else "",
    }


def _speed(served: list[Figures]) -> Iterator[str]:
    yield "| classifier | connections | requests a second | p50 ms | p99 ms | times the original design |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, measured, place in _places(served):
        cells = [measured.of(*place, figure).median for figure in ("p50", "p99")]
        baseline = BASELINE, place[1]
        times = f"{measured.ratio(place, baseline, 'rate').median:.0f}" if measured.has(baseline) else "-"
        rate = measured.of(*place, "rate").median
        yield f"| `{name}` | {place[1]} | {rate:.0f} | {cells[0]:.1f} | {cells[1]:.1f} | {times} |"


def _limits(served: list[Figures]) -> Iterator[str]:
    yield "| classifier | connections | CPU of a request: gateway, ms | model server, ms | gateway's share |"
    yield "|---|---:|---:|---:|---:|"
    for name, measured, place in _places(served):
        cpu, share = measured.cpu(*place), measured.share(*place, "gateway").median
        yield f"| `{name}` | {place[1]} | {cpu['gateway']:.2f} | {cpu['model server']:.2f} | {share:.0%} |"


def _places(served: list[Figures]) -> Iterator[tuple[str, Measured, tuple[str, int]]]:
    for figures in served:
        measured = Measured(dict(figures))
        for place in sorted(each for each in measured.places() if each[0] == GATEWAY):
            yield subject(dict(figures)), measured, place


def _memory(served: list[Figures]) -> Iterator[str]:
    yield "| classifier | process | resident MiB | private MiB |"
    yield "|---|---|---:|---:|"
    for figures in served:
        for process, held in figures["memory"].get(GATEWAY, {}).items():
            yield f"| `{subject(dict(figures))}` | {process} | {held['resident']:.0f} | {held['private']:.0f} |"


def _overload(figures: Figures) -> Iterator[str]:
    yield "| overload | connections | answered | refused with Retry-After | failed |"
    yield "|---|---:|---:|---:|---:|"
    for scene in figures["overload"]:
        rounds = scene["rounds"]
        answered, refused = (sum(each[name] for each in rounds) for name in ("answered", "refused"))
        failed = sum(sum(each["else"].values()) for each in rounds)
        yield f"| {scene['scene']} | {scene['connections']} | {answered} | {refused} | {failed} |"


def _footprint(figures: Figures) -> str:
    return (
        f"The gateway alone answers {figures['start_seconds']:.1f} s after its start and holds "
        f"{figures['resident_mib']:.0f} MiB (`{figures['command']}`)."
    )
