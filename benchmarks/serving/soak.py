"""Memory over many requests of mixed shapes, through the gateway."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.shared import wrk
from benchmarks.shared.processes import held
from benchmarks.shared.texts import utterances

CONNECTIONS = 16
WARM_UP_REQUESTS = 5000
PART_SECONDS = 5
BODIES = 2000
# One body in ten has several texts, up to half of what the gateway takes.
SEVERAL, MOST_TEXTS = 0.1, 32


def bodies(texts: Sequence[str], seed: int) -> list[str]:
    """Bodies for /v1/predict, each seed with others: most of one utterance, some of a random number of them."""
    chance = random.Random(seed)
    sizes = (chance.randint(2, MOST_TEXTS) if chance.random() < SEVERAL else 1 for _ in range(BODIES))
    return [json.dumps({"texts": chance.choices(texts, k=size)}) for size in sizes]


def measure(
    requests: int, port: int, processes: dict[str, int], state: Path, say: Callable[[str], None]
) -> dict[str, object]:
    """At least so many requests after a warm-up of 5,000; the memory of each process after every part."""
    texts = utterances()
    file = state / "mixed"
    done, failed = 0, 0
    points: list[dict[str, Any]] = []
    while done < WARM_UP_REQUESTS + requests:
        file.write_text("".join(f"{body}\n" for body in bodies(texts, len(points))))
        load = wrk.load(port, "/v1/predict", file, CONNECTIONS, PART_SECONDS)
        done, failed = done + load.requests, failed + load.failed
        points.append({"requests": done, **{name: asdict(held(pid)) for name, pid in processes.items()}})
        say(f"soak: {done} of {WARM_UP_REQUESTS + requests} requests")
    return {
        "connections": CONNECTIONS,
        "warm_up_requests": WARM_UP_REQUESTS,
        "requests": done,
        "failed": failed,
        "points": points,
    }
