"""Starts real servers as child processes for tests, and stops them by their own handle.

The model server is the one that `serving_config.binary` chooses, so that every test runs against either:
`TENSORFLOW_MODEL_SERVER=/path/to/tensorflow_model_server make test`.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from serving_config.binary import model_server_command

ROOT = Path(__file__).parent.parent
# Guards against a hang; the embedded server imports TensorFlow first, which takes seconds.
START_SECONDS = 120
STOP_SECONDS = 60
# By default a channel that was refused a connection sleeps for more than a second before it tries again.
IMPATIENT = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 100))


def child_environment(**changes: str) -> dict[str, str]:
    """The environment for a server: this process's with some changes, and with TensorFlow's own level of logging.

    The commands of training and export, when a test calls them in this process, silence TensorFlow for their terminal.
    A server that inherited this would not log what other tests read.
    """
    return {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"} | changes


def free_port() -> int:
    """A TCP port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_closed(port: int) -> None:
    """Connects again and again, until nothing listens on this port of loopback any more."""
    with suppress(ConnectionRefusedError):
        while True:
            # Reset: the listener was closed between the two halves of this connect. The next one tells.
            with suppress(ConnectionResetError):
                socket.create_connection(("127.0.0.1", port)).close()


@dataclass(frozen=True)
class ModelServer:
    """A running model server."""

    process: subprocess.Popen[str]
    grpc_port: int
    rest_port: int

    @property
    def address(self) -> str:
        """host:port of the gRPC listener."""
        return f"127.0.0.1:{self.grpc_port}"


def wait_until_ready(server: ModelServer) -> None:
    """Waits until the gRPC port answers: the configured models are loaded.

    Raises:
        RuntimeError: the process ended, or time is up.
    """
    with grpc.insecure_channel(server.address, IMPATIENT) as channel:
        ready = grpc.channel_ready_future(channel)
        for _ in range(START_SECONDS):
            try:
                return ready.result(timeout=1)
            except grpc.FutureTimeoutError:
                if server.process.poll() is not None:
                    break
    raise RuntimeError(f"the model server did not start; exit status {server.process.poll()}, its output is above")


def stop(process: subprocess.Popen[str]) -> int:
    """SIGTERM, then the exit status; killed if it does not end in time."""
    process.terminate()
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def run_model_server(*flags: str) -> subprocess.CompletedProcess[str]:
    """Runs the model server with flags that make it end by itself; standard output and error are kept."""
    return subprocess.run(
        [*model_server_command(), *flags],
        cwd=ROOT,
        env=child_environment(),
        text=True,
        capture_output=True,
        timeout=START_SECONDS,
        check=False,
    )


def is_embedded() -> bool:
    """Whether the server under test is `python -m model_server`; a few of its features are its own."""
    return model_server_command()[-1] == "model_server"


@contextmanager
def launch(*flags: str, stderr: int | None = None, grpc_port: int | None = None) -> Iterator[ModelServer]:
    """The model server with these flags (`--name=value`), not waited for; `stderr` as in Popen.

    Its ports are free ones, unless `grpc_port` says where clients look for it.
    """
    grpc_port, rest_port = grpc_port or free_port(), free_port()
    command = [*model_server_command(), f"--port={grpc_port}", f"--rest_api_port={rest_port}", *flags]
    process = subprocess.Popen(command, cwd=ROOT, env=child_environment(), text=True, stderr=stderr)
    try:
        yield ModelServer(process, grpc_port, rest_port)
    finally:
        if process.poll() is None:
            stop(process)


@contextmanager
def model_server(*flags: str) -> Iterator[ModelServer]:
    """The model server with these flags (`--name=value`) on free ports; ready: its ports open only then."""
    with launch(*flags) as server:
        wait_until_ready(server)
        yield server


@dataclass(frozen=True)
class Service:
    """Model server and gateway, run by `python -m serving_config start`."""

    process: subprocess.Popen[str]
    http_port: int
    grpc_port: int

    def predict(self, text: str) -> tuple[int, dict[str, Any]]:
        """POST /predict with this text: status and answer."""
        return self.ask("/predict", {"text": text})

    def ask(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """A POST on a connection of its own: status and answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


@contextmanager
def service(models: Path, state: Path) -> Iterator[Service]:
    """Both servers over a models folder, on free ports; ready as soon as the start command says so."""
    ports = {"--port": free_port(), "--grpc-port": free_port(), "--rest-port": free_port()}
    command = [sys.executable, "-m", "serving_config", "start", "--models", str(models), "--state", str(state)]
    command += [f"{name}={port}" for name, port in ports.items()]
    # A busy machine may be slow; whether it is fast enough is no question for a test.
    seconds = str(STOP_SECONDS)
    names = ("GATEWAY_DEADLINE_SECONDS", "GATEWAY_MAX_DEADLINE_SECONDS", "GATEWAY_DRAIN_SECONDS")
    environment = child_environment(**dict.fromkeys(names, seconds))
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, env=environment)
    try:
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if ": ready: " in line:
                break
        assert process.poll() is None, "".join(said)
        yield Service(process, ports["--port"], ports["--grpc-port"])
    finally:
        if process.poll() is None:
            stop(process)
