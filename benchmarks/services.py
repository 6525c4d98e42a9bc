"""Model server and gateways on loopback, started as `python -m serving_config start` does, and stopped."""

import os
import shlex
import socket
import subprocess
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

    `state` is a folder for its configuration; `rest_port` is for one who wants to ask its REST API, 0 = any.

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
def gateway(model_server_address: str, **settings: object) -> Iterator[tuple[int, int]]:
    """The gateway in front of that model server, defaults but for these settings: its pid and port."""
    port = free_port()
    given = {"host": "127.0.0.1", "port": port, "model_server": model_server_address, "load_balancer_window_seconds": 0}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    environment |= {f"GATEWAY_{name.upper()}": str(value) for name, value in (given | settings).items()}
    with listening(command.gateway(), port, environment) as pid:
        yield pid, port


@contextmanager
def listening(words: Sequence[str], port: int, environment: Mapping[str, str] = os.environ) -> Iterator[int]:
    """A process with this command line, once it listens on this port of loopback: its pid.

    Raises:
        RuntimeError: it ended, or did not listen in time.
    """
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise RuntimeError(f"it did not start; `{shlex.join(process.args)}` says why")


def free_port() -> int:
    """A TCP port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
