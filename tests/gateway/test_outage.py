"""The model server is killed, stopped and started again under traffic: real servers, real signals."""

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.running import Gateway, Reply, gateway
from tests.servers import ModelServer, free_port, launch, wait_until_ready

CLIENTS = 4
TEXT = "ab"
# Long enough for a busy machine, short enough to wait for it a few times.
SETTINGS = {"deadline_seconds": 1.0, "breaker_failures": 3, "breaker_seconds": 0.1}


class Restartable:
    """A model server on a port that stays, to be killed and started again."""

    def __init__(self, base_path: Path) -> None:
        self.port = free_port()
        self._flags = ("--model_name=intent", f"--model_base_path={base_path}")
        self._running = ExitStack()
        self._server: ModelServer | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it is ready."""
        self._server = self._running.enter_context(launch(*self._flags, grpc_port=self.port))
        wait_until_ready(self._server)

    def stop(self) -> None:
        """It hangs from here on: nothing is read or answered, but its connections stay."""
        process = self._send(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        """It works on where it hung."""
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        """As a crash does: no goodbye to the clients."""
        self._send(signal.SIGKILL).wait()
        self.close()

    def close(self) -> None:
        """Ends it, if it runs."""
        self._running.close()

    def _send(self, number: signal.Signals) -> "subprocess.Popen[str]":
        assert self._server
        self._server.process.send_signal(number)
        return self._server.process


@pytest.fixture(scope="module")
def restartable(models: Path) -> Iterator[Restartable]:
    """Running; every test leaves it so."""
    it = Restartable(models / "intent")
    it.start()
    yield it
    it.close()


class Traffic:
    """What clients that ask without end were answered."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.wrong: list[object] = []
        """Answers that should not be."""
        self._news = threading.Condition()

    def heard(self, reply: Reply) -> None:
        if reply.status == 200:
            is_right = reply.json["intent"] == MODEL.intent(TEXT)
        else:
            refusals = ((503, "model_server_unavailable"), (504, "deadline_exceeded"))
            has_hint = reply.status != 503 or int(reply.headers["Retry-After"]) >= 1
            is_right = has_hint and (reply.status, reply.json["code"]) in refusals
        with self._news:
            self.statuses[reply.status] += 1
            if not is_right:
                self.wrong.append((reply.status, reply.body))
            self._news.notify_all()

    def failed(self, error: Exception) -> None:
        with self._news:
            self.wrong.append(error)
            self._news.notify_all()

    def until(self, status: int, times: int = 1) -> None:
        """Returns when so many more answers have this status."""
        with self._news:
            wanted = self.statuses[status] + times
            self._news.wait_for(lambda: self.wrong or self.statuses[status] >= wanted)
            assert not self.wrong


@contextmanager
def traffic(running: Gateway) -> Iterator[Traffic]:
    """Clients that ask until the end; every one of their answers must be a right one, or a documented refusal."""
    it = Traffic()
    is_over = threading.Event()

    def ask() -> None:
        try:
            while not is_over.is_set():
                reply = running.predict(TEXT)
                it.heard(reply)
                if reply.status == 503:
                    # Not at once again, so that the model server that starts meanwhile finds a free core.
                    is_over.wait(0.01)
        except Exception as error:
            it.failed(error)

    with ThreadPoolExecutor(CLIENTS) as clients:
        for _ in range(CLIENTS):
            clients.submit(ask)
        try:
            yield it
        finally:
            is_over.set()
    assert not it.wrong


def until_breaker(running: Gateway, state: str) -> None:
    """Returns when /readyz says that the circuit breaker is in this state."""
    while running.get("/readyz").json["breaker"] != state:
        time.sleep(0.01)


def until_ready(running: Gateway) -> None:
    """Returns when /readyz says so."""
    while running.get("/readyz").status != 200:
        time.sleep(0.01)


def test_killed_and_started_again_under_traffic(restartable: Restartable) -> None:
    with gateway(model_server=restartable.address, **SETTINGS) as running, traffic(running) as seen:
        seen.until(200)
        restartable.kill()
        until_breaker(running, "open")
        refused = running.get("/readyz")
        assert (refused.status, refused.json["code"]) == (503, "model_server_unavailable")
        seen.until(503)
        restartable.start()
        seen.until(200)
        until_breaker(running, "closed")
        until_ready(running)
    log = "".join(running.log)
    assert log.index("the circuit breaker is open") < log.index("the circuit breaker is closed")


def test_stopped_and_continued_under_traffic(restartable: Restartable) -> None:
    """A hung server keeps its connections: only the deadline tells, until the breaker opens."""
    with gateway(model_server=restartable.address, **SETTINGS) as running, traffic(running) as seen:
        seen.until(200)
        restartable.stop()
        seen.until(504)
        seen.until(503)
        restartable.resume()
        seen.until(200)
        until_breaker(running, "closed")
        until_ready(running)
    assert "the circuit breaker is open" in "".join(running.log)


def test_a_lone_client_of_a_stopped_server_waits_until_the_breaker_opens_and_no_longer(
    restartable: Restartable,
) -> None:
    with gateway(model_server=restartable.address, **SETTINGS) as running:
        until_ready(running)
        restartable.stop()
        statuses = []
        while 503 not in statuses:
            statuses.append(running.predict(TEXT).status)
        assert set(statuses[:-1]) == {504}
        assert len(statuses) - 1 <= SETTINGS["breaker_failures"]
        # Killed while it hangs, and replaced by another process at the same address.
        restartable.kill()
        restartable.start()
        until_ready(running)
        assert running.get("/readyz").json["breaker"] == "closed"


def test_one_of_two_addresses_dies_and_comes_back(server: ModelServer, restartable: Restartable) -> None:
    with gateway(model_server=f"{server.address},{restartable.address}", **PATIENT) as running:
        with traffic(running) as seen:
            seen.until(200, times=20)
            restartable.kill()
            seen.until(200, times=100)
            restartable.start()
            seen.until(200, times=100)
        # What was under way on the dying server was made again on the other.
        assert set(seen.statuses) == {200}
    assert "the circuit breaker is open" not in "".join(running.log)


def test_one_of_two_addresses_hangs(server: ModelServer, restartable: Restartable) -> None:
    """Its connection is given up long before the deadline of the calls on it, which are made again on the other."""
    with gateway(model_server=f"{server.address},{restartable.address}", **PATIENT) as running:
        with traffic(running) as seen:
            seen.until(200, times=20)
            restartable.stop()
            seen.until(200, times=200)
            restartable.resume()
        assert set(seen.statuses) == {200}
    assert "the circuit breaker is open" not in "".join(running.log)
