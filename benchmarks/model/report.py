"""The section of docs/performance.md about the model itself."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.model import ops
from benchmarks.model.settings import FIXED, OURS, Setting
from benchmarks.model.trace import UNTRACED

# Of the cells; the result file has all of them.
SHOWN_BATCHES, SHOWN_LENGTHS = (1, 8, 32), (16, 32, 64)
# Numbers of shapes; the picture has more.
SHOWN_SHAPES = (0, 40, 120, 240, 480)
# The batch size of the ratios.
BATCH = 32


def markdown(figures: dict[str, Any]) -> str:
    """The section, from the result file."""
    return "\n\n".join(
        (_opening(figures), _cells(figures), _utterances(figures), _agreement(figures), _memory(figures), _ops(figures))
    )


def pictures(figures: dict[str, Any], folder: Path) -> None:
    """Draws what the section shows."""
    from benchmarks.model import pictures

    pictures.draw(figures, folder)


def _opening(figures: dict[str, Any]) -> str:
    machine, pieces = figures["machine"], figures["pieces"]
    return (
        "## The model itself\n\n"
        f"`{figures['command']}` runs the classifier `{figures['classifier']}` ({figures['encoder']}) in processes "
        "without a server: the same session, allocator and pools as the embedded server, text in, probabilities out. "
        "Each setting is a process of its own; all are asked by turns. Figures are medians of "
        f"{figures['rounds']} rounds. {figures['when']}, {machine['cores']} cores of {machine['processor']}, load "
        f"before: {machine['load_before']}.\n\n"
        f"- `{FIXED}`: every row is padded to 128 word pieces, as TensorFlow Hub's preprocessing does.\n"
        "- `longest`: to the longest row of the batch. `multiple of 8`: from there up to a multiple of 8.\n"
        f"- `{OURS}`: what is exported and served. `oneDNN ops`: the same with the ops that the server leaves out.\n\n"
        f"The utterances have {pieces['mean']} word pieces in the mean and {pieces['longest']} at most, as far as the "
        f"classifier reads ({figures['sequence_length']})."
    )


def _cells(figures: dict[str, Any]) -> str:
    lengths = [length for length in SHOWN_LENGTHS if length <= figures["sequence_length"]]
    shapes = [(batch, length) for batch in SHOWN_BATCHES for length in lengths]
    found = {(_setting(cell), cell["batch"], cell["length"]): cell for cell in figures["cells"]}
    rows = (
        [setting.name, *(_places(found[setting, *shape]["median"]) for shape in shapes)]
        for setting in _settings(figures["cells"])
    )
    spread = max((cell["high"] - cell["low"]) / cell["median"] for cell in figures["cells"])
    typical = sorted((cell["high"] - cell["low"]) / cell["median"] for cell in figures["cells"])
    return (
        "### Batch size, length and padding\n\n"
        "![Milliseconds a row against length and against batch size](images/performance-model-lines.png)\n\n"
        "Rows that are all alike; ms a row at batch x length:\n\n"
        + _table(["", *(f"{batch} x {length}" for batch, length in shapes)], rows)
        + "\n\nFrom left to right within one batch size: what length costs. The same length at another batch size: "
        "what a batch saves. The lowest and highest round of a cell are "
        f"{typical[len(typical) // 2] * 100:.0f} % of its median apart in the middle cell, and {spread * 100:.0f} % in "
        "the worst."
    )


def _utterances(figures: dict[str, Any]) -> str:
    sizes = sorted({each["batch"] for each in figures["utterances"]})
    found = {(_setting(each), each["batch"]): each for each in figures["utterances"]}

    def ratio(setting: Setting) -> float:
        base = found[Setting(FIXED, setting.threads), BATCH]["median"]
        return float(found[setting, BATCH]["median"] / base)

    rows = (
        [setting.name, *(_spread(found[setting, size], 0) for size in sizes), f"{ratio(setting):.1f}"]
        for setting in _settings(figures["utterances"])
    )
    best = {size: max(_settings(figures["utterances"]), key=lambda each: found[each, size]["median"]) for size in sizes}
    return (
        "### Utterances as they come\n\n"
        "![Rows a second by batch size](images/performance-model-utterances.png)\n\n"
        f"Rows a second, median (lowest to highest round), and how many times those of `{FIXED}` with as many threads "
        f"at batch {BATCH}:\n\n"
        + _table(["", *(f"batch {size}" for size in sizes), "ratio"], rows)
        + "\n\nA batch is as long as its longest utterance where rows are padded to it, so that larger batches hold "
        "more padding. Fastest: " + "; ".join(f"{best[size].name} at batch {size}" for size in sizes) + "."
    )


def _agreement(figures: dict[str, Any]) -> str:
    rows = (
        [_setting(each).name, each["rows"], each["other_labels"], f"{each['largest']:.1e}"]
        for each in figures["agreement"]
    )
    return (
        "### The same answers\n\n"
        f"The utterances' answers, held against those of `{FIXED}`:\n\n"
        + _table(["", "utterances", "other labels", "largest difference of a probability"], rows)
        + "\n\nPadding is masked: what remains is the rounding of sums taken in another order."
    )


def _memory(figures: dict[str, Any]) -> str:
    rows = []
    for each in figures["memory"]:
        resident = dict(map(tuple, each["resident"]))
        shown = [resident[shapes] for shapes in SHOWN_SHAPES]
        rows.append([_setting(each).name, *(f"{value:.0f}" for value in shown), f"{shown[-1] - shown[0]:+.0f}"])
    return (
        "### Memory against the number of shapes\n\n"
        "![Resident memory against the number of shapes](images/performance-model-memory.png)\n\n"
        "Resident MiB of a fresh process after so many different shapes (rows x length), each run once:\n\n"
        + _table(["", *map(str, SHOWN_SHAPES), "growth"], rows)
        + "\n\nWith oneDNN's ops the process keeps code for every shape that the graph sees; how many it sees is up "
        "to the way of padding."
    )


def _ops(figures: dict[str, Any]) -> str:
    traced = figures["ops"]
    sizes = list(traced)
    sums = {size: sum(spent for name, spent in traced[size].items() if name != UNTRACED) for size in sizes}
    names = sorted(set().union(*traced.values()) - {UNTRACED}, key=lambda name: -traced[sizes[-1]].get(name, 0))
    rows = [
        [name]
        + [
            cell
            for size in sizes
            for cell in (
                f"{traced[size].get(name, 0):.3f}",
                f"{traced[size].get(name, 0) / sums[size] * 100:.0f} %",
            )
        ]
        for name in names
    ]
    largest = "; ".join(f"{max(names, key=lambda name: traced[size].get(name, 0))} at batch {size}" for size in sizes)
    untraced = " and ".join(f"{traced[size][UNTRACED]:.3f} ms at batch {size}" for size in sizes)
    return (
        "### Where the time goes inside the graph\n\n"
        "![Share of each kind of op](images/performance-model-ops.png)\n\n"
        "TensorFlow's own trace of the exported model on one thread, over utterances as they come:\n\n"
        + _table(["", *(title for size in sizes for title in (f"batch {size}, ms a row", "share"))], rows)
        + f"\n\nThe largest part: {largest}. `{ops.BETWEEN}` is what passes while no op runs; tracing makes it larger. "
        f"Without a trace a row takes {untraced}, the Python call included."
    )


def _settings(entries: Iterable[dict[str, Any]]) -> list[Setting]:
    return list(dict.fromkeys(_setting(each) for each in entries))


def _setting(entry: dict[str, Any]) -> Setting:
    return Setting(entry["policy"], entry["threads"], entry["onednn"])


def _spread(figure: dict[str, float], places: int) -> str:
    return f"{figure['median']:.{places}f} ({figure['low']:.{places}f} to {figure['high']:.{places}f})"


def _places(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(titles)} |", "|---|" + "---:|" * (len(titles) - 1)]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])
