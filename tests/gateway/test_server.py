"""The gateway's life as a process: it says where it listens, drains, and ends in good order."""

import http.client
import json
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, gateway
from tests.servers import ModelServer, wait_until_closed


def test_sigterm_finishes_what_runs_and_takes_no_more(line: Relay) -> None:
    with (
        gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running,
        ThreadPoolExecutor() as clients,
        socket.create_connection(("127.0.0.1", running.port)) as idle,
    ):
        line.hold(b"still running")
        asking = clients.submit(running.predict, "still running")
        line.held.wait()
        running.process.send_signal(signal.SIGTERM)
        wait_until_closed(running.port)
        assert not asking.done()
        assert running.process.poll() is None
        line.release()
        reply = asking.result()
        assert reply.json["intent"] == MODEL.intent("still running")
        assert reply.headers["Connection"] == "close"
        assert idle.recv(1) == b""
        assert running.process.wait() == 0
    assert "stopped" in running.log[-1]
    assert "Traceback" not in "".join(running.log)


def test_a_body_that_is_still_coming_is_waited_for(server: ModelServer) -> None:
    with (
        gateway(model_server=server.address, **PATIENT) as running,
        socket.create_connection(("127.0.0.1", running.port)) as client,
    ):
        body = json.dumps({"text": "half of it"}).encode()
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        # The server asks for the body, so the request is known to run.
        client.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode() + body[:5])
        reader = client.makefile("rb")
        assert reader.readline().startswith(b"HTTP/1.1 100 ")
        running.process.send_signal(signal.SIGTERM)
        wait_until_closed(running.port)
        client.sendall(body[5:])
        assert reader.readline() == b"\r\n"
        assert reader.readline() == b"HTTP/1.1 200 OK\r\n"
        answer = reader.read()
        assert b"Connection: close\r\n" in answer
        assert MODEL.intent("half of it").encode() in answer
        assert running.process.wait() == 0


def test_what_does_not_finish_in_time_does_not_keep_the_process(line: Relay) -> None:
    short = {"deadline_seconds": 0.2, "max_deadline_seconds": 0.2, "drain_seconds": 0.2}
    with (
        gateway(model_server=f"127.0.0.1:{line.port}", **short) as running,
        socket.create_connection(("127.0.0.1", running.port)) as client,
    ):
        # Headers of a request whose body never comes.
        client.sendall(
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n"
        )
        running.get("/status")
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_gateway_ends_with_status_0(number: signal.Signals) -> None:
    with gateway(model_server="127.0.0.1:1") as running:
        assert "for model intent at 127.0.0.1:1" in running.log[0]
        running.process.send_signal(number)
        assert running.process.wait() == 0


def test_in_the_window_all_is_served_but_readyz_says_draining(server: ModelServer) -> None:
    with gateway(model_server=server.address, load_balancer_window_seconds=60, **PATIENT) as running:
        assert running.get("/readyz").status == 200
        kept = http.client.HTTPConnection("127.0.0.1", running.port)
        running.process.send_signal(signal.SIGTERM)
        running.wait_for("draining")
        reply = running.get("/readyz")
        assert reply.status == 503
        assert (reply.json["status"], reply.json["code"], reply.json["draining"]) == ("not_ready", "draining", True)
        assert (reply.json["version"], reply.json["state"]) == (1, "AVAILABLE")
        for path in ("/healthz", "/status"):
            kept.request("GET", path)
            reply = kept.getresponse()
            assert reply.status == 200
            # The first half of the window: its connection is kept.
            assert reply.headers["Connection"] is None
            reply.read()
        assert running.predict("served").json["intent"] == MODEL.intent("served")
        kept.close()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait() == 128 + signal.SIGTERM


def test_ctrl_c_skips_the_window() -> None:
    with gateway(model_server="127.0.0.1:1", load_balancer_window_seconds=600) as running:
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait() == 0
    assert "draining" not in "".join(running.log)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(line: Relay, number: signal.Signals) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running, ThreadPoolExecutor() as clients:
        line.hold(b"never answered")
        asking = clients.submit(running.predict, "never answered")
        line.held.wait()
        running.process.send_signal(number)
        running.wait_for("stopping")
        running.process.send_signal(number)
        assert running.process.wait() == 128 + number
        with pytest.raises(ConnectionError):
            asking.result()


def test_an_idle_connection_is_closed_after_its_time() -> None:
    times = {"keep_alive_seconds": 0.1, "load_balancer_idle_seconds": 0}
    with (
        gateway(model_server="127.0.0.1:1", **times) as running,
        socket.create_connection(("127.0.0.1", running.port)) as client,
    ):
        client.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
        # Ends only when the gateway closes it.
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 200 OK")


class _Client:
    """Asks over and over on one connection, and opens another only when it is told to close the one it has."""

    def __init__(self, running: Gateway) -> None:
        self._running = running
        self.answered = 0
        self.warm = threading.Event()

    def run(self) -> None:
        """Returns once the gateway refuses connections; fails on anything that is not a good answer."""
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self._running.port)
            try:
                connection.connect()
            except ConnectionRefusedError:
                return
            while connection.sock:
                connection.request("POST", "/predict", '{"text": "abc"}', {"Content-Type": "application/json"})
                reply = connection.getresponse()
                answer = json.loads(reply.read())
                assert (reply.status, answer.get("intent")) == (200, MODEL.intent("abc")), answer
                self.answered += 1
                if self.answered == 20:
                    self.warm.set()


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_under_traffic_fails_not_one_request(server: ModelServer, workers: int) -> None:
    settings = {"load_balancer_window_seconds": 1, "workers": workers, **PATIENT}
    with gateway(model_server=server.address, **settings) as running, ThreadPoolExecutor(8) as threads:
        clients = [_Client(running) for _ in range(8)]
        runs = [threads.submit(client.run) for client in clients]
        for client, run in zip(clients, runs, strict=True):
            # One that failed is waited for no longer: its error is raised below.
            run.add_done_callback(lambda _, client=client: client.warm.set())
            client.warm.wait()
        running.process.send_signal(signal.SIGTERM)
        for run in runs:
            run.result()
        assert running.process.wait() == 0
    # Connections that were cut would be counted as callers who went away.
    assert "status=499" not in "".join(running.log)
