"""Every line of the log, as text and as JSON, belongs to its request and tells no utterance unless asked to."""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.telemetry.context import CONTEXT, RequestContext
from gateway.telemetry.logs import JsonFormatter, TextFormatter

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def request_context() -> Iterator[None]:
    """A request that this test works on."""
    token = CONTEXT.set(RequestContext("the-id", f"00-{TRACE}-00f067aa0ba902b7-01"))
    yield
    CONTEXT.reset(token)


def record(message: str, *arguments: object, values: dict[str, Any] | None = None, failed: bool = False) -> Any:
    """What `logging` gives a formatter, from another module than the formatter's."""
    it = logging.LogRecord(
        "gateway.upstream.backend", logging.WARNING, __file__, 1, message, arguments, sys.exc_info() if failed else None
    )
    if values:
        it.values = values
    return it


def parsed(it: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(it)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_json_says_when_how_bad_where_and_what() -> None:
    it = record("lost %s of %d", "one", 2)
    found = parsed(it)
    when = datetime.fromisoformat(found.pop("time"))
    assert when.tzinfo == UTC
    assert abs(when.timestamp() - it.created) < 0.001
    assert found == {"level": "warning", "logger": "gateway.upstream.backend", "message": "lost one of 2"}


@pytest.mark.usefixtures("request_context")
def test_json_names_the_request_in_every_line() -> None:
    found = parsed(record("x", values={"status": 200, "intent": None}))
    assert (found["request_id"], found["trace_id"]) == ("the-id", TRACE)
    assert (found["status"], found["intent"]) == (200, None)


def test_json_holds_an_exception_in_the_same_object() -> None:
    try:
        raise ValueError("no\nnumber")
    except ValueError:
        found = parsed(record("failed", failed=True))
    assert (found["exception"]["type"], found["exception"]["message"]) == ("ValueError", "no\nnumber")
    assert found["exception"]["traceback"].splitlines()[0] == "Traceback (most recent call last):"


@pytest.mark.parametrize("text", ["naïve 🍝", '"\\', "\x00\x1b[2J\u2028", "\ud800 alone"])
def test_json_holds_any_text(text: str) -> None:
    assert parsed(record("%s", text))["message"] == text


def test_text_is_a_line_for_people() -> None:
    it = record("lost %s", "one")
    it.created, it.msecs = 1700000000.25, 250.0
    assert TextFormatter().format(it) == "2023-11-14T22:13:20.250Z WARNING gateway.upstream.backend: lost one"


@pytest.mark.usefixtures("request_context")
def test_text_names_the_request_and_the_values() -> None:
    line = TextFormatter().format(record("x", values={"status": 200, "intent": None, "texts": ("a b", "c")}))
    assert line.endswith(f' x status=200 intent=null texts=["a b", "c"] request_id=the-id trace_id={TRACE}')


def test_text_has_no_line_that_only_looks_like_one() -> None:
    assert TextFormatter().format(record("%s", "a\n2023-11-14 forged")).endswith(": a\\n2023-11-14 forged")


def test_text_shows_a_traceback_below() -> None:
    try:
        raise ValueError("no number")
    except ValueError:
        lines = TextFormatter().format(record("failed", failed=True)).splitlines()
    assert lines[0].endswith("gateway.upstream.backend: failed")
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: no number"
