"""Model server and gateways on loopback, started as `python -m serving_config start` does, and stopped."""

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc

from serving_config import command, models
from serving_config.files import ConfigFiles

START_SECONDS = 120


@contextmanager
def model_server(models_folder: Path, state: Path, rest_port: int = 0) -> Iterator[tuple[int, str]]:
    """The model server that `serving_config.binary` chooses, with the shipped configuration: its pid and host:port.

    `state` is a folder for its configuration; `rest_port` is the port of its REST API, 0 = any.

    Raises:
        NoVersionError: `models_folder` has no version of the model.
    """
    files = ConfigFiles()
    models.resolve(files, models_folder, state / "models.config")
    ports = command.Ports(0, free_port(), rest_port or free_port())
    words = command.model_server(files, state / "models.config", ports)
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"127.0.0.1:{ports.grpc}"
    try:
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(START_SECONDS)
        yield process.pid, address
    finally:
        process.terminate()
        process.wait()


@contextmanager
def gateway(
    model_server_address: str, settings: Mapping[str, object] | None = None, checkout: Path = Path()
) -> Iterator[tuple[int, int]]:
    """The gateway of this checkout in front of that model server, with these settings set: its pid and port."""
    port = free_port()
    given = {"host": "127.0.0.1", "port": port, "model_server": model_server_address, "load_balancer_window_seconds": 0}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    environment |= {f"GATEWAY_{name.upper()}": str(value) for name, value in (given | dict(settings or {})).items()}
    with listening(command.gateway(), port, environment, checkout) as pid:
        yield pid, port


@contextmanager
def echo() -> Iterator[tuple[int, str]]:
    """A stand-in for the model server that answers at once: its pid and host:port."""
    port = free_port()
    with listening([sys.executable, "-m", "benchmarks.shared.echo", str(port)], port) as pid:
        yield pid, f"127.0.0.1:{port}"


@contextmanager
def listening(
    words: Sequence[str], port: int, environment: Mapping[str, str] = os.environ, folder: Path = Path()
) -> Iterator[int]:
    """A process that was started with these words in `folder`, once it listens on this port of loopback: its pid.

    Raises:
        RuntimeError: it ended, or did not listen in time.
    """
    process = subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process, words)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", words: Sequence[str]) -> None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise RuntimeError(f"it did not start; `{shlex.join(words)}` says why")


def free_port() -> int:
    """A TCP port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
