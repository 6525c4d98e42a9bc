"""What the gateway does with more requests than it takes: who is answered how fast, and what the others are told.

wrk cannot tell latencies apart by status, so a small client asks here. It shares the machine too.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from benchmarks.shared import services
from benchmarks.shared.processes import held
from benchmarks.shared.texts import utterances

LIMITS = {"max_in_flight": 16, "max_queue": 0}
CONNECTIONS = 64
WARM_UP_SECONDS = 1


@dataclass
class Answers:
    """What all connections were told in one round; times in ms."""

    accepted: list[float] = field(default_factory=list)
    """How long each 200 took."""
    refused: list[float] = field(default_factory=list)
    """How long each 429 or 503 took that says when to come back."""
    others: Counter[int] = field(default_factory=Counter)
    """Everything else by status; 0 = a refusal without Retry-After."""

    def percentile(self, percent: int, name: str = "accepted") -> float:
        """Of the times of that name; 0 if there are none."""
        times = getattr(self, name)
        return statistics.quantiles(times, n=100, method="inclusive")[percent - 1] if len(times) > 1 else 0.0


@dataclass(frozen=True)
class Scene:
    """What the gateway is put through."""

    name: str
    connections: int
    is_patient: bool
    """Who is refused waits as long as it is told; else it asks again at once."""
    rounds: list[Answers] = field(default_factory=list)

    def figures(self) -> dict[str, object]:
        """Of each round, for programs."""
        return {
            "scene": self.name,
            "connections": self.connections,
            "rounds": [
                {
                    "answered": len(each.accepted),
                    "refused": len(each.refused),
                    "else": dict(each.others),
                    **{f"p{percent}_ms": each.percentile(percent) for percent in (50, 90, 99)},
                    "refused_p99_ms": each.percentile(99, "refused"),
                }
                for each in self.rounds
            ],
        }

    @property
    def failed(self) -> int:
        """Answers that are neither 200 nor a refusal with Retry-After."""
        return sum(each.others.total() for each in self.rounds)


def measure(models: Path, path: str, rounds: int, seconds: float) -> tuple[list[Scene], list[float]]:
    """Starts model server and gateway with `LIMITS`, and plays the scenes by turns.

    Returns:
        The scenes, and the resident MiB of the gateway after each round.

    Raises:
        NoVersionError: `models` has no version of the model.
    """
    requests = [_request(path, text) for text in utterances()]
    with (
        tempfile.TemporaryDirectory() as state,
        services.model_server(models, Path(state)) as (_, address),
        services.gateway(address, LIMITS) as (pid, port),
    ):
        memory: list[float] = []
        scenes = [
            Scene("one at a time", 1, True),
            Scene("as many as are taken", LIMITS["max_in_flight"], True),
            Scene("more, who wait when told to", CONNECTIONS, True),
            Scene("more, who do not wait", CONNECTIONS, False),
        ]
        for number in range(-1, rounds):
            for scene in scenes:
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    answers = runner.run(_ask(port, requests, scene, seconds if number >= 0 else WARM_UP_SECONDS))
                if number >= 0:
                    scene.rounds.append(answers)
            memory.append(held(pid).resident)
        return scenes, memory


def _request(path: str, text: str) -> bytes:
    body = json.dumps({"text": text}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


async def _ask(port: int, requests: Sequence[bytes], scene: Scene, seconds: float) -> Answers:
    answers = Answers()
    until = time.monotonic() + seconds

    async def client(position: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.monotonic()) < until:
            writer.write(requests[position % len(requests)])
            position += scene.connections
            status, headers = await _read(reader)
            took = (time.monotonic() - began) * 1000
            if status == 200:
                answers.accepted.append(took)
            elif status in (429, 503) and int(headers.get("retry-after", 0)) >= 1:
                answers.refused.append(took)
                if scene.is_patient:
                    await asyncio.sleep(min(int(headers["retry-after"]), until - time.monotonic()))
            else:
                answers.others[0 if status in (429, 503) else status] += 1
        writer.close()

    await asyncio.gather(*(client(position) for position in range(scene.connections)))
    return answers


async def _read(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    await reader.readexactly(int(headers["content-length"]))
    return int(head.split()[1]), headers
