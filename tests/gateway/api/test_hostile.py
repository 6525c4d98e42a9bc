"""What no honest client sends, over raw sockets: each a documented refusal, and the gateway healthy after."""

import json
import select
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.pages.openapi import openapi_document
from gateway.routes import ROUTES
from gateway.settings.settings import Settings
from tests.gateway.api.hostile import CORPUS, SLOW, Hostile, chunked, request
from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.running import Gateway, gateway
from tests.servers import ModelServer

DOCUMENT = openapi_document(Settings(), ROUTES)


@pytest.fixture(scope="module")
def target(server: ModelServer) -> Iterator[Gateway]:
    """A gateway with the limits that it comes with."""
    with gateway(model_server=server.address, **PATIENT, body_seconds=60) as it:
        yield it


@pytest.fixture(scope="module")
def impatient(server: ModelServer) -> Iterator[Gateway]:
    """A gateway that waits for no body."""
    with gateway(model_server=server.address, **PATIENT, body_seconds=0.1) as it:
        yield it


def answer(running: Gateway, sent: bytes) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of the first final answer to these bytes."""
    with socket.create_connection(("127.0.0.1", running.port)) as connection, connection.makefile("rb") as answers:
        # It may answer, and end, before it has all.
        with suppress(ConnectionError):
            connection.sendall(sent)
        while (status := int(answers.readline().split()[1])) == 100:
            assert answers.readline() == b"\r\n"
        headers = {}
        while (line := answers.readline()) != b"\r\n":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, json.loads(answers.read(int(headers["content-length"])))


def check(running: Gateway, sent: bytes, status: int, code: str) -> None:
    """It is refused so, by a problem document; then the gateway answers others."""
    got, headers, problem = answer(running, sent)
    assert (got, problem.get("code")) == (status, code), problem
    assert headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert DOCUMENT["components"]["examples"][code]["value"]["status"] == status
    assert "aiohttp" not in str(headers).lower()
    assert len(problem["detail"]) < 1000
    text = f"after {code}"
    assert running.predict(text).json["intent"] == MODEL.intent(text)


def test_the_corpus_is_large_enough() -> None:
    assert len({each.sent for each in CORPUS}) == len({each.name for each in CORPUS}) == len(CORPUS) >= 60


@pytest.mark.parametrize("hostile", CORPUS, ids=lambda each: each.name)
def test_it_is_refused_by_a_problem_document(target: Gateway, hostile: Hostile) -> None:
    check(target, hostile.sent, hostile.status, hostile.code)


@pytest.mark.parametrize("name", SLOW)
def test_a_slow_body_is_408(impatient: Gateway, name: str) -> None:
    check(impatient, SLOW[name], 408, "body_timeout")


def test_a_body_that_comes_byte_by_byte_gets_no_more_time(impatient: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port)) as connection, connection.makefile("rb") as answers:
        connection.sendall(request(b"", length=10_000))
        connection.setblocking(False)
        sent = 0
        while not select.select([connection], [], [], 0)[0]:
            # Never the last one, however slow the gateway is.
            if sent < 9_999:
                sent += connection.send(b" ")
        connection.setblocking(True)
        assert answers.readline() == b"HTTP/1.1 408 Request Timeout\r\n"


def test_who_waits_for_leave_to_send_gets_it_or_the_refusal(target: Gateway) -> None:
    for content_type, length, status in (
        ("application/json", 13, 100),
        ("text/plain", 13, 415),
        ("application/json", 10**9, 413),
    ):
        head = request(b"", "Expect: 100-continue", content_type=f"Content-Type: {content_type}", length=length)
        with socket.create_connection(("127.0.0.1", target.port)) as connection, connection.makefile("rb") as answers:
            connection.sendall(head)
            assert int(answers.readline().split()[1]) == status
            if status == 100:
                assert answers.readline() == b"\r\n"
                connection.sendall(b'{"text": "a"}')
                assert answers.readline() == b"HTTP/1.1 200 OK\r\n"


def test_who_goes_away_in_the_middle_leaves_nothing_behind(target: Gateway) -> None:
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", target.port)) as connection:
            connection.sendall(request(b'{"text": ', length=100))
    assert target.predict("a").status == 200


def test_odd_but_right_requests_are_answered(target: Gateway) -> None:
    for sent in (
        request(chunked(*[bytes((each,)) for each in b'{"text": "a"}']), "Transfer-Encoding: chunked"),
        request(b"d;a=b\r\n" + b'{"text": "a"}' + b"\r\n0\r\nX: y\r\n\r\n", "Transfer-Encoding: chunked"),
        request(b' \r\n{"text"\t: "a" }\n'),
        request(b'{"text": "a"}', "Content-Encoding: identity"),
        request(b'{"text": "a"}', content_type='Content-Type: APPLICATION/JSON ; charset="UTF-8"'),
        request(b'{"text": "a"}', "X: \xe9"),
        request(b'{"text": "a"}', path="http://elsewhere/v1/predict"),
    ):
        status, _, body = answer(target, sent)
        assert (status, body["result"]["intent"]) == (200, MODEL.intent("a"))


def test_the_process_is_as_it_was(target: Gateway) -> None:
    """After all of the above: no traceback, and no memory taken by bodies that were refused."""
    for each in CORPUS:
        answer(target, each.sent)
    before = _peak_mebibytes(target)
    for each in CORPUS:
        answer(target, each.sent)
    assert _peak_mebibytes(target) - before < 5
    assert target.process.poll() is None
    assert "Traceback" not in "".join(target.log)


def _peak_mebibytes(running: Gateway) -> float:
    lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
