"""The memory of gateway and model server with a model, at rest and under load, and what their units allow them."""

import argparse
import configparser
import json
import random
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.shared import services
from benchmarks.shared.processes import Held, held
from benchmarks.shared.texts import utterances, words
from serving_config.binary import model_server_command
from serving_config.errors import ServingConfigError

HELP = "memory of gateway and model server at rest and under load, against the limits of their units"

IMAGE = Path(__file__).parents[2] / "cloudformation" / "image"
CONNECTIONS = 16
# As many as the model server works on at once: more would wait, and hold no more.
AT_ONCE = 2
DEADLINE_SECONDS = 60
JSON = {"Content-Type": "application/json"}
PATIENT = {"X-Request-Timeout": str(DEADLINE_SECONDS * 1000)}
# The largest request that the gateway takes, with texts as long as the model reads.
TEXTS, WORDS = 64, 128
CROWD = 1000
SHAPES = [(rows, count) for rows in range(1, 17) for count in range(1, 120, 4)]


@dataclass(frozen=True)
class Step:
    """What both held after it."""

    name: str
    gateway: Held
    model_server: Held


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of models (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=3000, help="single utterances (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Measures and prints; 1 if there is no model."""
    try:
        steps = measure(options.models, options.requests)
    except ServingConfigError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    print("\n".join(table(steps)))
    return 0


def measure(models: Path, requests: int) -> list[Step]:
    """At rest, after so many utterances, after every shape of request once, after the largest ones, and after a crowd.

    The gateway has the settings of an instance.

    Raises:
        NoVersionError: there is no model.
    """
    settings = _settings()
    with (
        tempfile.TemporaryDirectory() as state,
        services.model_server(models, Path(state)) as (server, address),
        services.gateway(
            address, settings | {"max_deadline_seconds": DEADLINE_SECONDS, "drain_seconds": DEADLINE_SECONDS}
        ) as (gateway, port),
    ):

        def step(name: str) -> Step:
            return Step(name, held(gateway), held(server))

        _ask(port, [["Are you ready?"]], 1)
        steps = [step("at rest")]
        texts = utterances()
        _ask(port, [[texts[number % len(texts)]] for number in range(requests)], CONNECTIONS)
        steps.append(step(f"{requests} utterances, {CONNECTIONS} at once"))
        shapes = SHAPES.copy()
        random.Random(0).shuffle(shapes)
        _ask(port, [[words(count)] * rows for rows, count in shapes], AT_ONCE)
        steps.append(step(f"{len(shapes)} shapes of requests"))
        _ask(port, [[words(WORDS)] * TEXTS] * 4 * AT_ONCE, AT_ONCE)
        steps.append(step(f"requests of {TEXTS} texts of {WORDS} words, {AT_ONCE} at once"))
        size = int(settings["max_body_bytes"]) // TEXTS - len('"", {}')
        # Most of them are refused, which is what they are to be.
        _ask(port, [["x" * size] * TEXTS] * CROWD * 2, CROWD, (200, 503, 504), {})
        steps.append(step(f"{CROWD} connections with the largest body"))
        return steps


def _settings() -> dict[str, str]:
    lines = (IMAGE / "gateway.env").read_text().splitlines()
    pairs = (line.removeprefix("GATEWAY_").split("=") for line in lines if line.startswith("GATEWAY_"))
    return {name.lower(): value for name, value in pairs}


def limits() -> dict[str, float]:
    """MemoryMax of the units in MiB, by unit."""
    return dict(_limits())


def _limits() -> Iterator[tuple[str, float]]:
    for name in ("intent-gateway", "intent-model-server"):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.read(IMAGE / "units" / f"{name}.service")
        yield name, float(unit["Service"]["MemoryMax"].removesuffix("M"))


def table(steps: Sequence[Step]) -> Iterator[str]:
    """Lines for people."""
    server = "embedded" if model_server_command()[-1] == "model_server" else "stock"
    yield _line("resident MiB (of it anonymous)", "gateway", f"{server} model server")
    for each in steps:
        cells = [f"{process.resident:.0f} ({process.private:.0f})" for process in (each.gateway, each.model_server)]
        yield _line(each.name, *cells)
    last, allowed = steps[-1], limits()
    yield _line("peak", f"{last.gateway.peak:.0f}", f"{last.model_server.peak:.0f}")
    yield _line("MemoryMax of the unit", f"{allowed['intent-gateway']:.0f}", f"{allowed['intent-model-server']:.0f}")


def _line(name: str, gateway: str, model_server: str) -> str:
    return f"{name:52}{gateway:>14}{model_server:>26}"


def _ask(
    port: int,
    bodies: Sequence[Sequence[str]],
    connections: int,
    expected: tuple[int, ...] = (200,),
    headers: dict[str, str] = PATIENT,
) -> None:
    """Sends every body once, over so many connections, each of which asks again when it is answered."""
    left = iter(bodies)
    lock = threading.Lock()
    failed: list[str] = []

    def work() -> None:
        connection = HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                texts = next(left, None)
            if texts is None:
                return connection.close()
            connection.request("POST", "/v1/predict", json.dumps({"texts": texts}), headers | JSON)
            response = connection.getresponse()
            answer = response.read()
            if response.status not in expected:
                failed.append(answer.decode())

    workers = [threading.Thread(target=work) for _ in range(connections)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failed:
        raise RuntimeError(f"{len(failed)} requests failed, the first with {failed[0]}")
