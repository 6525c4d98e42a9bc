"""POST /predict and GET /status as clients see them, and every refusal with its status, code and message."""

import json
import socket

import pytest

from tests.gateway.conftest import MODEL
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, gateway
from tests.gateway.tiny_model import NOT_A_NUMBER, PROBABILITY

EXAMPLE = '{"text": "How long do I boil the pasta?"}'
JSON = {"Content_Type": "application/json"}


@pytest.mark.parametrize("text", ["a", "ab", "abc", " How long?\n", "naïve café", "🍝 pasta", "NUL \x00 inside"])
def test_predict_names_intent_score_and_version(running: Gateway, text: str) -> None:
    reply = running.predict(text)
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json == {"intent": MODEL.intent(text), "score": PROBABILITY, "version": 1}


def test_unescaped_utf8_and_a_named_charset_are_taken(running: Gateway) -> None:
    body = json.dumps({"text": "crème"}, ensure_ascii=False).encode()
    for content_type in ("application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"):
        reply = running.send("POST", "/predict", body, Content_Type=content_type)
        assert reply.json["intent"] == MODEL.intent("crème")


def test_a_connection_serves_many_requests(running: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as connection, connection.makefile("rb") as answers:
        for text in (b"a", b"b"):
            connection.sendall(_raw(text))
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while (header := answers.readline()) != b"\r\n":
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            assert json.loads(answers.read(length))["intent"] == MODEL.intent(text.decode())


def _raw(text: bytes) -> bytes:
    body = b'{"text": "' + text + b'"}'
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"", "invalid_json", f"the body is not valid JSON: Input data was truncated; send {EXAMPLE}"),
        (b'{"text": "a"', "invalid_json", f"the body is not valid JSON: Input data was truncated; send {EXAMPLE}"),
        (b"text=hello", "invalid_json", "the body is not valid JSON: "),
        (b"NaN", "invalid_json", "the body is not valid JSON: JSON is malformed: invalid character (byte 0)"),
        (b'{"text": NaN}', "invalid_json", "the body is not valid JSON: JSON is malformed: invalid character (byte 9)"),
        (b'{"text": "a"} {"text": "b"}', "invalid_json", "the body is not valid JSON: JSON is malformed: trailing"),
        (b'{"text": "line\nbreak"}', "invalid_json", "the body is not valid JSON: JSON is malformed: invalid char"),
        (b'\xef\xbb\xbf{"text": "a"}', "invalid_json", "the body is not valid JSON: JSON is malformed: invalid char"),
        (b'{"text": "\xff"}', "invalid_json", f"the body is not UTF-8; send {EXAMPLE} encoded as UTF-8"),
        (b'{"text": "\xed\xa0\x80"}', "invalid_json", f"the body is not UTF-8; send {EXAMPLE} encoded as UTF-8"),
        (b'{"text": "\\ud800"}', "invalid_json", "the body is not valid JSON: "),
        (b'{"text": "\\udc00 alone"}', "invalid_json", "the body is not valid JSON: JSON is malformed: invalid utf-16"),
        ('{"text": "a"}'.encode("utf-16"), "invalid_json", "the body is not valid JSON: "),
        (b"null", "invalid_request", f"Expected `object`, got `null`; send {EXAMPLE}"),
        (b'"text"', "invalid_request", f"Expected `object`, got `str`; send {EXAMPLE}"),
        (b'[{"text": "a"}]', "invalid_request", f"Expected `object`, got `array`; send {EXAMPLE}"),
        (b"[" * 1500, "invalid_json", "the body is nested deeper than 8 levels; send a flat object"),
        (b'{"text":' + b"[" * 1500, "invalid_json", "the body is nested deeper than 8 levels"),
        (b'{"text":' + b'{"a":' * 200, "invalid_json", "the body is nested deeper than 8 levels"),
        (b'{"deep":' + b"[" * 1500, "invalid_json", "the body is nested deeper than 8 levels"),
        (b'{"text": [[[[[["a"]]]]]]}', "invalid_request", f"Expected `str`, got `array` at /text; send {EXAMPLE}"),
        (b'{"text": "a", "text": "b"}', "invalid_json", "the body names the field `text` more than once; send it once"),
        (b'{"text": "b", "te\\u0078t": "a"}', "invalid_json", "the body names the field `text` more than once"),
        (b"{}", "invalid_request", f"Object missing required field `text` at /text; send {EXAMPLE}"),
        (b'{"Text": "a"}', "invalid_request", f"Object contains unknown field `Text` at /Text; send {EXAMPLE}"),
        (b'{"text": "a", "top_k": 3}', "invalid_request", "Object contains unknown field `top_k` at /top_k; send "),
        (b'{"text": 3}', "invalid_request", f"Expected `str`, got `int` at /text; send {EXAMPLE}"),
        (b'{"text": null}', "invalid_request", f"Expected `str`, got `null` at /text; send {EXAMPLE}"),
        (b'{"text": 1e999999}', "invalid_request", "Number out of range at /text"),
        (b'{"text": ""}', "invalid_request", "the text is empty; send what was said"),
        (b'{"text": " \\n\\t "}', "invalid_request", "the text is empty; send what was said"),
    ],
)
def test_bad_body_is_400(running: Gateway, body: bytes, code: str, message: str) -> None:
    status, got_code, got_message = running.post(body).error
    assert (status, got_code) == (400, code)
    assert got_message.startswith(message)


@pytest.mark.parametrize("text", ["at 10:30", '{"text": "a", "text": "b"}', "a: b: c", '"text": '])
def test_colons_in_a_text_are_no_second_field(running: Gateway, text: str) -> None:
    assert running.predict(text).json["intent"] == MODEL.intent(text)


def test_half_a_character_is_explained(running: Gateway) -> None:
    assert "a half of a surrogate pair is no character" in running.post(b'{"text": "\\ud800"}').error[2]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"text": 3}', "/text"),
        (b'{"text": ""}', "/text"),
        (b"{}", "/text"),
        (b'{"a/b~c": 1}', "/a~1b~0c"),
        (b'{"text": "a", "text": "b"}', "/text"),
    ],
)
def test_a_refusal_points_at_the_field(running: Gateway, body: bytes, pointer: str) -> None:
    assert running.post(body).json["pointer"] == pointer


def test_a_refusal_of_the_whole_body_points_at_no_field(running: Gateway) -> None:
    assert "pointer" not in running.post(b"[]").json


def test_a_long_field_name_is_not_given_back_whole(running: Gateway) -> None:
    status, code, message = running.post(json.dumps({"x" * 1500: 1})).error
    assert (status, code) == (400, "invalid_request")
    assert len(message) < 500


def test_a_body_that_stops_arriving_is_408(line: Relay) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n"
    with gateway(model_server=f"127.0.0.1:{line.port}", body_seconds=0.05) as slow:
        answer = _talk(slow, head + b'{"text": ')
    assert answer.split()[1] == b"408"
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (problem["code"], problem["detail"]) == ("body_timeout", "the body did not arrive in 0.05 s; send it faster")


def _talk(running: Gateway, sent: bytes) -> bytes:
    """Everything the gateway says to these bytes until it ends the connection."""
    with socket.create_connection(("127.0.0.1", running.port)) as connection, connection.makefile("rb") as answers:
        connection.sendall(sent)
        return answers.read()


def test_too_long_text_is_413(running: Gateway) -> None:
    assert running.predict("é" * 100).status == 200
    assert running.predict("x" * 1000).status == 200
    assert running.predict("x" * 1001).error == (
        413,
        "text_too_long",
        "the text has 1001 characters; send at most 1000",
    )


def test_too_large_body_is_413_announced_or_chunked(running: Gateway) -> None:
    body = json.dumps({"text": "x" * 2000}).encode()
    want = (413, "body_too_large", "the body is longer than 2000 bytes; send fewer or shorter texts")
    assert running.post(body).error == want
    chunks = [body[i : i + 500] for i in range(0, len(body), 500)]
    assert running.send("POST", "/predict", iter(chunks), **JSON).error == want


def test_a_chunked_body_within_the_limit_is_taken(running: Gateway) -> None:
    reply = running.send("POST", "/predict", iter([b'{"text"', b': "abcd"}']), **JSON)
    assert reply.json["intent"] == MODEL.intent("abcd")


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "multipart/mixed"],
)
def test_other_content_types_are_415(running: Gateway, content_type: str | None) -> None:
    headers = {"Content_Type": content_type} if content_type else {}
    assert running.send("POST", "/predict", '{"text": "a"}', **headers).error == (
        415,
        "unsupported_media_type",
        f"send {EXAMPLE} with the header Content-Type: application/json, in UTF-8",
    )


def test_a_compressed_body_is_415(running: Gateway) -> None:
    assert running.send("POST", "/predict", b"\x1f\x8b", **JSON, Content_Encoding="gzip").error == (
        415,
        "unsupported_media_type",
        "the body is compressed; send it without Content-Encoding",
    )


def test_unknown_path_is_404(running: Gateway) -> None:
    for path in ("/predict/", "/v1", "/v2/predict", "/favicon.ico", "/../etc/passwd", "/%ff", "/static/../app.py"):
        status, code, message = running.get(path).error
        assert (status, code) == (404, "not_found")
        assert message.startswith("nothing is at this path; there are /, /docs, /healthz, ")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/predict", "OPTIONS, POST"),
        ("HEAD", "/predict", "OPTIONS, POST"),
        ("DELETE", "/predict", "OPTIONS, POST"),
        ("POST", "/status", "GET, HEAD, OPTIONS"),
        ("TRACE", "/readyz", "GET, HEAD, OPTIONS"),
    ],
)
def test_other_methods_are_405(running: Gateway, method: str, path: str, allow: str) -> None:
    reply = running.send(method, path)
    assert reply.status == 405
    assert reply.headers["Allow"] == allow
    if method == "HEAD":
        assert reply.body == b""
    else:
        message = f"there is no {method} {path}; send one of {allow}"
        assert reply.error == (405, "method_not_allowed", message)


def test_options_names_the_methods(running: Gateway) -> None:
    for path, allow in (("/predict", "OPTIONS, POST"), ("/status", "GET, HEAD, OPTIONS")):
        reply = running.send("OPTIONS", path)
        assert (reply.status, reply.headers["Allow"], reply.body) == (204, allow, b"")


def test_status_and_healthz(running: Gateway) -> None:
    assert running.get("/status").json == {"status": "alive"}
    assert running.get("/healthz").json == {"status": "ok"}
    head = running.send("HEAD", "/status")
    assert (head.status, head.body) == (200, b"")


def test_a_probability_that_is_no_number_is_502(running: Gateway) -> None:
    assert running.predict(NOT_A_NUMBER).error == (
        502,
        "model_contract_broken",
        "the model's probability is not a number; train and publish it again",
    )
