"""Several workers on one port: all serve, a dead one is replaced, and one signal ends them all."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, gateway
from tests.servers import ROOT, ModelServer


@contextmanager
def _two_workers(**settings: object) -> Iterator[Gateway]:
    with gateway(workers=2, **settings) as running:
        running.wait_for("listening on", times=2)
        yield running


def _workers(running: Gateway) -> set[int]:
    process_id = running.process.pid
    return set(map(int, Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()))


def _sockets(process_id: int) -> int:
    found = 0
    for link in Path(f"/proc/{process_id}/fd").iterdir():
        # A file that was closed meanwhile is no socket any more.
        with suppress(FileNotFoundError):
            found += str(link.readlink()).startswith("socket:")
    return found


def _count(running: Gateway, path: str) -> int:
    """How many requests to this path the metrics tell of."""
    text = running.get("/metrics").body.decode()
    counts = re.findall(rf'^gateway_request_seconds_count{{.*route="{path}".*}} (\S+)$', text, re.MULTILINE)
    return sum(int(float(count)) for count in counts)


def test_both_workers_get_connections() -> None:
    with _two_workers(model_server="127.0.0.1:1") as running, ExitStack() as connections:
        workers = _workers(running)
        assert len(workers) == 2
        before = {worker: _sockets(worker) for worker in workers}
        for _ in range(40):
            connection = http.client.HTTPConnection("127.0.0.1", running.port)
            connections.callback(connection.close)
            connection.request("GET", "/status")
            reply = connection.getresponse()
            assert reply.status == 200
            reply.read()
        # By chance all 40 go to one in one of 10^12 runs.
        assert all(_sockets(worker) > before[worker] for worker in workers)


def test_metrics_sum_up_over_the_workers_dead_ones_too() -> None:
    with _two_workers(model_server="127.0.0.1:1") as running:
        for _ in range(20):
            running.get("/status")
        assert _count(running, "/status") == 20
        for worker in _workers(running):
            os.kill(worker, signal.SIGKILL)
        running.wait_for("listening on", times=4)
        running.get("/status")
        assert _count(running, "/status") == 21


def test_a_dead_worker_is_replaced(server: ModelServer) -> None:
    with _two_workers(model_server=server.address, **PATIENT) as running:
        workers = _workers(running)
        dead = min(workers)
        os.kill(dead, signal.SIGKILL)
        running.wait_for(f"worker {dead} was ended by SIGKILL; another starts in")
        running.wait_for("listening on", times=3)
        assert len(_workers(running)) == 2
        assert len(_workers(running) & workers) == 1
        for _ in range(10):
            assert running.predict("abc").json["intent"] == MODEL.intent("abc")
        running.process.terminate()
        assert running.process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_ends_them_all_and_leaves_nothing(
    line: Relay, number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with (
        _two_workers(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running,
        ThreadPoolExecutor() as clients,
    ):
        assert list(tmp_path.iterdir())
        # Ctrl-C in a terminal goes to a whole group: theirs is another one, else each would get it twice.
        assert not {os.getpgid(worker) for worker in _workers(running)} & {os.getpgid(running.process.pid)}
        line.hold(b"still running")
        asking = clients.submit(running.predict, "still running")
        line.held.wait()
        running.process.send_signal(number)
        running.wait_for("stopping", times=2)
        line.release()
        assert asking.result().json["intent"] == MODEL.intent("still running")
        assert running.process.wait() == 0
    assert len([said for said in running.log if "stopped" in said]) == 2
    assert not list(tmp_path.iterdir())


def test_a_second_signal_ends_them_at_once(line: Relay) -> None:
    with (
        _two_workers(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running,
        ThreadPoolExecutor() as clients,
    ):
        line.hold(b"never answered")
        asking = clients.submit(running.predict, "never answered")
        line.held.wait()
        running.process.terminate()
        running.wait_for("stopping", times=2)
        running.process.terminate()
        assert running.process.wait() == 128 + signal.SIGTERM
        with pytest.raises(ConnectionError):
            asking.result()


def test_workers_do_not_outlive_the_process_that_watches_over_them() -> None:
    with _two_workers(model_server="127.0.0.1:1") as running:
        running.process.kill()
        # The log ends when the last of them has.
        with pytest.raises(AssertionError):
            running.wait_for("never said")
        assert len([said for said in running.log if "stopped" in said]) == 2
        with pytest.raises(ConnectionRefusedError):
            running.get("/status")


def _run(**environment: str) -> "subprocess.CompletedProcess[str]":
    environment = {"GATEWAY_HOST": "127.0.0.1", "GATEWAY_PORT": "0", "GATEWAY_WORKERS": "2"} | environment
    command = [sys.executable, "-m", "gateway"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)


def _watch(work: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs two workers with this body of `def work(lifeline)`."""
    program = f"""
import logging, os, signal, sys
from pathlib import Path
from gateway.workers import Workers
logging.basicConfig()
watching = os.getpid()
def work(lifeline):
{textwrap.indent(textwrap.dedent(work), "    ")}
sys.exit(Workers(2, work).run())
"""
    return subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True)


def test_workers_that_cannot_start_end_the_gateway() -> None:
    ended = _watch("os.kill(os.getpid(), signal.SIGKILL)")
    assert ended.returncode == 1
    assert "was ended by SIGKILL; another starts in" in ended.stderr
    assert "giving up" in ended.stderr.splitlines()[-1]


def test_while_one_worker_serves_the_others_are_tried_on(tmp_path: Path) -> None:
    ended = _watch(
        """
        try:
            Path(sys.argv[1], "serving").mkdir()
        except FileExistsError:
            Path(sys.argv[1], str(os.getpid())).touch()
            if len(os.listdir(sys.argv[1])) > 4:
                os.kill(watching, signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGKILL)
        return int(signal.sigwait([signal.SIGTERM]) != signal.SIGTERM)
        """,
        str(tmp_path),
    )
    assert ended.returncode == 0
    assert len(re.findall("another starts in", ended.stderr)) >= 3
    assert "giving up" not in ended.stderr


def test_a_port_that_others_listen_on_is_not_shared_with_them() -> None:
    with socket.socket() as other:
        # Somebody who would share: another gateway.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        ended = _run(GATEWAY_PORT=str(other.getsockname()[1]))
    assert ended.returncode == 1
    assert "Address already in use" in ended.stderr
