"""Memory against the number of distinct (batch, length) shapes that a process has run."""

import random

from benchmarks.model.costs import Processes, Say, row
from benchmarks.model.settings import OURS, Setting
from benchmarks.shared.processes import held

SETTINGS = (Setting(OURS, 1), Setting(OURS, 1, onednn=True))
# 480 shapes: these numbers of rows, each with these lengths.
ROWS, LENGTHS = range(1, 17), range(4, 64, 2)
STEP = 40
# Single rows before the first look, so that what the first request takes is not counted.
WARM_UP = 20


def measure(workers: Processes, say: Say) -> list[dict[str, object]]:
    """Runs every shape once, in the same random order everywhere.

    Returns: setting and `resident`, a list of [shapes run so far, resident MiB].
    """
    shapes = [(rows, length) for rows in ROWS for length in LENGTHS]
    random.Random(0).shuffle(shapes)
    found = []
    for setting, worker in workers.items():
        say(f"memory over {len(shapes)} shapes: {setting.name}")
        worker.time([[row(16)]] * WARM_UP, 0)
        points = [(0, held(worker.pid).resident)]
        for done in range(STEP, len(shapes) + 1, STEP):
            worker.time([[row(length)] * rows for rows, length in shapes[done - STEP : done]], 0)
            points.append((done, round(held(worker.pid).resident, 1)))
        found.append({**setting.as_json(), "resident": points})
    return found
