"""A run as a section of the documentation."""

from pathlib import Path
from typing import Any

from benchmarks.serving.claims import claims, growth
from benchmarks.serving.measured import Measured, picture, subject
from benchmarks.serving.rounds import BASELINE, ECHO, GATEWAY, GENERATOR, SINGLE

Figures = dict[str, Any]


def markdown(figures: Figures) -> str:
    """The section."""
    measured = Measured(figures)
    parts = [_opening(figures), _claims(figures), _table(figures, measured), _ratios(measured), _memory(figures)]
    for name, part in (("long", _long), ("soak", _soak)):
        if name in figures:
            parts.append(part(figures))
    return "\n\n".join(part for part in parts if part) + "\n"


def pictures(figures: Figures, folder: Path) -> None:
    """PNG files into `folder`."""
    from benchmarks.serving import pictures as drawings

    drawings.draw(figures, folder)


def _opening(figures: Figures) -> str:
    machine = figures["machine"]
    agreement = figures.get("agreement")
    agreed = ""
    in_bfloat16 = (
        ", all but the baseline in bfloat16 with oneDNN's ops," if subject(figures).endswith("bfloat16") else ""
    )
    if agreement:
        agreed = (
            f" Of {agreement['texts']} texts that baseline and service were asked beforehand, "
            f"{agreement['differing']} got another intent or score; the scores differ by at most "
            f"{agreement['largest_difference']:.1g}."
        )
    return f"""## The service, the original design, and the limits: `{subject(figures)}`

```sh
{figures["command"]}
```

{figures["when"]}, {machine["cores"]} cores ({machine["processor"]}), load before {machine["load_before"]}; medians \
of {figures["rounds"]} interleaved rounds of {figures["seconds"]:g} s (baseline {figures["baseline_seconds"]:g} s), \
lowest and highest round in brackets. Every side runs the weights of `{figures["classifier"]}`{in_bfloat16} and gets \
{figures["utterances"]:,} real utterances ({figures["data"]}) with their lengths as they come; clients share the \
machine. The model server is the {figures["model_server"]} one.{agreed}

- **baseline**: the original design, Flask's development server and `model.predict` on rows of 128 word pieces; wrk. \
It answers too few requests to count, so its rate is connections by mean latency, which flatters it slightly.
- **gateway**: ours, gateway and model server; wrk, `POST /predict`.
- **gRPC single**, **gRPC batched**: the model server without a gateway, 1 and 32 rows a call; h2load. Batched is \
asked only over as many connections as its rows find room in the model server's queue.
- **in process**: the model without a server, as many runs at once as cores: the limit.
- **echo**: the gateway in front of a model server that answers at once: what the gateway can do at most."""


def _claims(figures: Figures) -> str:
    found = claims(figures)
    if not found:
        return ""
    lines = ["### Aims", "", "| aim | found | met |", "|---|---:|---|"]
    lines += [f"| {each.aim} | {each.found} | {'yes' if each.met else '**no**'} |" for each in found]
    met = sum(each.met for each in found)
    return "\n".join([*lines, "", f"{met} of {len(found)} are met in this run."])


def _table(figures: Figures, measured: Measured) -> str:
    if not measured.places():
        return ""
    lines = [
        "### Rate and latency",
        "",
        f"![Rows a second by side and connections](images/{picture(figures, 'rates')})",
        "",
        "| side | connections | rows/s | p50 ms | p90 ms | p99 ms | CPU ms a row | failed |",
        "|---|---:|---:|---:|---:|---:|---|---:|",
    ]
    for side, connections in sorted(measured.places(), key=lambda place: _order(measured, place)):
        place = side, connections
        latencies = " | ".join(f"{measured.of(*place, name).median:.1f}" for name in ("p50", "p90", "p99"))
        cpu = ", ".join(f"{name} {ms:.2f}" for name, ms in measured.cpu(*place).items())
        rate = measured.of(*place, "rate").text(".0f")
        lines.append(f"| {side} | {connections or '-'} | {rate} | {latencies} | {cpu} | {measured.failed(*place)} |")
    lines += [
        "",
        "A row is one utterance; latencies are of requests, which for batched gRPC and larger batches in process hold "
        "several rows. With more connections than the cores can work on at once, latency is waiting: p50 is about "
        "connections divided by rate. wrk counts a stall as if requests had gone on being sent meanwhile, so its "
        "percentiles are on the strict side; h2load counts what it sent.",
        "",
        f"![Latency by side and connections](images/{picture(figures, 'latency')})",
        "",
        f"![CPU of a request by process](images/{picture(figures, 'cpu')})",
    ]
    return "\n".join(lines)


def _order(measured: Measured, place: tuple[str, int]) -> tuple[int, int]:
    names = list(dict.fromkeys(side for side, _ in measured.places()))
    return names.index(place[0]), place[1]


def _ratios(measured: Measured) -> str:
    lines = [
        "### Side against side",
        "",
        "| connections | gateway : baseline, rate | baseline : gateway, p50 | gateway : in process | gateway : gRPC "
        "| gateway : echo | gateway's CPU share |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    limit = measured.limit()
    counts = sorted({connections for side, connections in measured.places() if side == GATEWAY})
    for count in counts:
        ours = GATEWAY, count
        cells = [
            _ratio(measured, ours, (BASELINE, count), "rate", ".0f"),
            _ratio(measured, (BASELINE, count), ours, "p50", ".0f"),
            _ratio(measured, ours, (limit or "", 0), "rate", ".0%"),
            _ratio(measured, ours, (SINGLE, count), "rate", ".0%"),
            _ratio(measured, ours, (ECHO, count), "rate", ".0%"),
            measured.share(*ours, "gateway").text(".0%"),
        ]
        lines.append(f"| {count} | {' | '.join(cells)} |")
    against = f"The limit in process is the best batch size, here {limit}. " if limit else ""
    lines += [
        "",
        f"{against}Ratios are taken round by round, of what ran within the same minutes. The share is the gateway's "
        f"part of the CPU of gateway and model server together, without the {GENERATOR}.",
    ]
    return "\n".join(lines) if counts else ""


def _ratio(measured: Measured, over: tuple[str, int], under: tuple[str, int], name: str, form: str) -> str:
    return measured.ratio(over, under, name).text(form) if measured.has(over, under) else "-"


def _memory(figures: Figures) -> str:
    lines = [
        "### Memory after the rounds",
        "",
        "| side | process | resident MiB | private MiB |",
        "|---|---|---:|---:|",
    ]
    for side, processes in figures["memory"].items():
        for name, held in processes.items():
            lines.append(f"| {side} | {name} | {held['resident']:.0f} | {held['private']:.0f} |")
    lines += ["", "Private memory is the process's own; the rest of what is resident are files that can be read again."]
    return "\n".join(lines) if figures["memory"] else ""


def _long(figures: Figures) -> str:
    long = figures["long"]
    return (
        f"### One run of {long['seconds']:.0f} s\n\nGateway and model server at {long['connections']} connections: "
        f"{long['rate']:.0f} requests a second, p50 {long['p50']:.1f}, p90 {long['p90']:.1f}, "
        f"p99 {long['p99']:.1f} ms; {long['failed']} failed."
    )


def _soak(figures: Figures) -> str:
    soak = figures["soak"]
    before, after = growth(soak)
    points = soak["points"]
    gateway = [point["gateway"]["resident"] for point in points]
    return f"""### Memory over many requests

![Memory over requests](images/{picture(figures, "soak")})

{points[-1]["requests"]:,} requests of mixed shapes over {soak["connections"]} connections, one in ten with 2 to 32 \
texts: private memory of the model server {before:.0f} MiB after the first {soak["warm_up_requests"]:,} and \
{after:.0f} MiB at the end; resident memory of the gateway {gateway[0]:.0f} to {max(gateway):.0f} MiB; \
{soak["failed"]} failed."""
