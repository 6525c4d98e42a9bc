"""The REST listener: ports, methods, encodings, headers, time limits, the end."""

import gzip
import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.model_server import toy
from tests.model_server.client import Client
from tests.model_server.gate import Gate
from tests.model_server.rest_client import Answer, Rest, refusal
from tests.model_server.scene import Scene
from tests.model_server.toy import Publish
from tests.servers import (
    ModelServer,
    free_port,
    is_embedded,
    launch,
    model_server,
    wait_until_closed,
    wait_until_ready,
)

PREDICT = "/v1/models/toy:predict"
BODY = '{"instances": [1]}'
OK = b"HTTP/1.1 200 OK\r\n"
EMPTY_TYPE = "text/html; charset=ISO-8859-1"
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "POST, GET",
    "access-control-allow-headers": "Content-Type",
}


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> list[str]:
    """Flags of a server with version 1 of `toy`."""
    base_path = tmp_path_factory.mktemp("toy")
    publish(base_path, 1)
    return ["--model_name=toy", f"--model_base_path={base_path}"]


@pytest.fixture
def flagged_rest(flagged: ModelServer) -> Rest:
    """A server that answers CORS, and that has no time limit."""
    return Rest(flagged.rest_port)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _start(server: ModelServer, body: str) -> socket.socket:
    """A connection on which the server waits for this body of a Predict request: it has begun to answer."""
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", server.rest_port))
    connection.sendall(head.encode())
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    return connection


def cors(answer: Answer) -> dict[str, str]:
    """The CORS headers of an answer."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png", None])
def test_the_content_type_is_not_looked_at(rest: Rest, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    assert rest.ask("POST", PREDICT, BODY, headers).json() == {"predictions": [2.5]}


def test_a_compressed_body_is_unpacked(rest: Rest) -> None:
    answer = rest.ask("POST", PREDICT, gzip.compress(BODY.encode()), {"Content-Encoding": "gzip"})
    assert (answer.status, answer.json()) == (200, {"predictions": [2.5]})


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(BODY.encode())[:-9]], ids=["not packed", "cut off"])
def test_a_body_that_does_not_unpack_is_empty(rest: Rest, body: bytes) -> None:
    answer = rest.ask("POST", PREDICT, body, {"Content-Encoding": "gzip"})
    assert refusal(answer) == (400, "JSON Parse error: The document is empty")


def test_answers_are_not_compressed(rest: Rest) -> None:
    answer = rest.ask("POST", PREDICT, json.dumps({"instances": [1] * 10000}), {"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert len(answer.json()["predictions"]) == 10000


def test_bodies_may_be_large(rest: Rest) -> None:
    text = "a" * (8 << 20)
    body = json.dumps({"signature_name": "text", "instances": [text]})
    answer = rest.ask("POST", PREDICT, body, {"Expect": "100-continue"})
    assert answer.json() == {"predictions": [{"length": len(text), "upper": text.upper()}]}


def test_continue_is_said_before_a_body_that_waits_for_it(shared: ModelServer) -> None:
    with _start(shared, BODY) as connection:
        connection.sendall(BODY.encode())
        assert connection.recv(100).startswith(OK)


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
def test_listens_for_ipv6_too(shared: ModelServer) -> None:
    with socket.create_connection(("::1", shared.rest_port)) as connection:
        connection.sendall(b"GET /v1/models/toy HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(100).startswith(OK)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Origin": "http://example.org"}, 200, id="http"),
        pytest.param({"Origin": "https://example.org:8080"}, 200, id="https"),
        pytest.param({"Origin": "example.org"}, 400, id="no scheme"),
        pytest.param({}, 400, id="no origin"),
    ],
)
@pytest.mark.parametrize("path", [PREDICT, "/v1/models/ghost", "/v1/nonsense"])
def test_options(rest: Rest, path: str, headers: dict[str, str], status: int) -> None:
    answer = rest.ask("OPTIONS", path, headers=headers)
    assert (answer.status, answer.content, answer.content_type) == (status, b"", EMPTY_TYPE)


def test_options_of_other_paths_is_a_404_page(rest: Rest) -> None:
    answer = rest.ask("OPTIONS", "/", headers={"Origin": "http://example.org"})
    assert (answer.status, answer.content_type) == (404, "text/html")


def test_without_the_flag_there_are_no_cors_headers(rest: Rest) -> None:
    answer = rest.ask("OPTIONS", PREDICT, headers={"Origin": "http://example.org"})
    assert cors(answer) == {}
    assert cors(rest.ask("POST", PREDICT, BODY, {"Origin": "http://example.org"})) == {}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", PREDICT, 200), ("GET", "/v1/models/toy", 200), ("GET", "/v1/models/ghost", 404), ("PUT", PREDICT, 400)],
)
def test_with_the_flag_every_api_answer_carries_cors_headers(
    flagged_rest: Rest, method: str, path: str, status: int
) -> None:
    answer = flagged_rest.ask(method, path, BODY)
    assert (answer.status, cors(answer)) == (status, CORS)


def test_with_the_flag_a_preflight_carries_them_too(flagged_rest: Rest) -> None:
    answer = flagged_rest.ask("OPTIONS", PREDICT, headers={"Origin": "http://example.org"})
    assert (answer.status, cors(answer)) == (200, CORS)


def test_an_inference_that_takes_too_long_is_given_up(frugal: ModelServer) -> None:
    body = json.dumps({"signature_name": "slow", "inputs": toy.ENDLESS})
    rest = Rest(frugal.rest_port)
    status, _ = refusal(rest.post(PREDICT, body))
    assert status == 504
    assert rest.post(PREDICT, BODY).status == 200


def test_without_a_limit_an_inference_takes_its_time(flagged_rest: Rest) -> None:
    turns = 100_000
    body = json.dumps({"signature_name": "slow", "inputs": turns})
    assert flagged_rest.post(PREDICT, body).json() == {"outputs": turns}


def test_no_rest_port_no_rest(flags: list[str]) -> None:
    port = free_port()
    with launch(*flags, f"--port={port}", "--rest_api_port=0") as server:
        wait_until_ready(ModelServer(server.process, port, 0))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.rest_port))


@pytest.mark.parametrize("is_taken", [True, False], ids=["taken", "that of gRPC"])
def test_a_port_that_cannot_be_had_leaves_grpc_alone(flags: list[str], is_taken: bool) -> None:
    grpc_port = free_port()
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as holder:
        rest_port = holder.getsockname()[1] if is_taken else grpc_port
        ports = [f"--port={grpc_port}", f"--rest_api_port={rest_port}"]
        with launch(*flags, *ports, stderr=subprocess.PIPE) as server:
            wait_until_ready(ModelServer(server.process, grpc_port, rest_port))
            client = Client(f"127.0.0.1:{grpc_port}")
            assert client.ask("toy", 1) == (1, 1.5)
            client.close()
            server.process.terminate()
            _, log = server.process.communicate()
    assert f"localhost:{rest_port}" in log if is_taken else "http_port cannot be same as grpc_port" in log


@pytest.mark.skipif(not is_embedded(), reason="the stock server is cut off by SIGTERM")
def test_sigterm_finishes_what_runs(tmp_path: Path, flags: list[str]) -> None:
    pipe = str(tmp_path / "pipe")
    body = json.dumps({"signature_name": "held", "inputs": pipe})
    with model_server(*flags) as server:
        Rest(server.rest_port).get("/v1/models/toy")
        with _start(server, body) as connection:
            with Gate(tmp_path / "pipe") as gate:
                connection.sendall(body.encode())
                gate.wait()
                server.process.terminate()
                wait_until_closed(server.rest_port)
            answer = b"".join(iter(lambda: connection.recv(1000), b""))
        assert answer.startswith(OK)
        assert answer.endswith(f'{{\n    "outputs": {len(pipe)}\n}}'.encode())
        assert server.process.wait() == 0


def test_a_version_that_failed_is_shown_with_its_error(changing: Scene, publish: Publish) -> None:
    changing.serve(publish, "failing")
    (changing.folder / "failing" / "2").mkdir()
    changing.client.wait_for("failing", v2="END")
    newest = Rest(changing.server.rest_port).get("/v1/models/failing").json()["model_version_status"][0]
    assert (newest["version"], newest["state"], newest["status"]["error_code"]) == ("2", "END", "NOT_FOUND")
    assert newest["status"]["error_message"].startswith("Specified file path does not appear to contain a SavedModel")
