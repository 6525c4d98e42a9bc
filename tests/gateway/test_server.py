"""The gateway's life as a process: it says where it listens, and ends in good order."""

import signal
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, gateway


def _until_it_refuses(running: Gateway) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", running.port)).close()
        except ConnectionResetError:
            # The listener closed while this connection was still in its queue.
            continue
        except ConnectionRefusedError:
            return


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
        _until_it_refuses(running)
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


def test_what_does_not_finish_in_time_does_not_keep_the_process(line: Relay) -> None:
    with (
        gateway(model_server=f"127.0.0.1:{line.port}", deadline_seconds=0.2, drain_seconds=0.2) as running,
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
