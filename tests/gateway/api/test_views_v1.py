"""The endpoints under /v1/ as clients see them, against a real model server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.conftest import MODEL, OTHER_MODEL, PATIENT, wait_for_state
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, Reply, gateway
from tests.gateway.tiny_model import NOT_A_NUMBER, PROBABILITY, TinyModel
from tests.servers import ModelServer

REST = (1 - PROBABILITY) / 2
"""The probability of each label that was not chosen."""


@pytest.fixture(scope="module")
def labelled(server: ModelServer) -> Iterator[Gateway]:
    """A gateway whose default is the label `stable`."""
    with gateway(model_server=server.address, model_label="stable", top_k=1, threshold=0.9, **PATIENT) as it:
        yield it


@pytest.fixture(scope="module")
def both(server: ModelServer, models: Path) -> Iterator[Gateway]:
    """A gateway for a model of which two versions are served."""
    OTHER_MODEL.publish(models / "both", 2)
    wait_for_state(server, "both", 2, "AVAILABLE")
    with gateway(model_server=server.address, model_name="both", **PATIENT) as it:
        yield it


def ask(running: Gateway, **headers: str) -> Any:
    """A function that posts its named arguments to /v1/predict, with these headers."""

    def post(**body: Any) -> Reply:
        return running.send("POST", "/v1/predict", json.dumps(body), Content_Type="application/json", **headers)

    return post


def test_a_text_is_answered_with_its_ranking(running: Gateway) -> None:
    reply = ask(running, X_Request_Id="mine")(text="ab")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    timing = reply.json["timing_ms"]
    rest = [name for name in MODEL.names if name != MODEL.intent("ab")]
    assert reply.json == {
        "result": {
            "intent": MODEL.intent("ab"),
            "abstained": False,
            "score": PROBABILITY,
            "intents": [
                {"intent": MODEL.intent("ab"), "score": PROBABILITY},
                *({"intent": name, "score": REST} for name in rest),
            ],
        },
        "model": {"name": "intent", "version": 1},
        "request_id": "mine",
        "timing_ms": timing,
    }
    assert reply.headers["X-Request-Id"] == "mine"
    assert timing.keys() == {"queue", "model", "gateway", "total"}
    assert timing["model"] > 0
    assert timing["total"] == pytest.approx(timing["queue"] + timing["model"] + timing["gateway"], abs=0.002)


@pytest.mark.parametrize(("top_k", "listed"), [(1, 1), (2, 2), (3, 3), (4, 3), (10**30, 3)])
def test_top_k_lists_so_many_intents_or_all(running: Gateway, top_k: int, listed: int) -> None:
    result = ask(running)(text="a", top_k=top_k).json["result"]
    assert len(result["intents"]) == listed
    assert result["intents"][0] == {"intent": result["intent"], "score": PROBABILITY}


@pytest.mark.parametrize(
    ("threshold", "abstained"), [(0, False), (0.75, False), (0.7500001, True), (0.76, True), (1, True)]
)
def test_a_score_below_the_threshold_abstains(running: Gateway, threshold: float, abstained: bool) -> None:
    result = ask(running)(text="a", threshold=threshold).json["result"]
    assert result["abstained"] is abstained
    assert result["intent"] == (None if abstained else MODEL.intent("a"))
    assert result["score"] == PROBABILITY
    assert result["intents"][0] == {"intent": MODEL.intent("a"), "score": PROBABILITY}


def test_texts_are_answered_in_order(running: Gateway) -> None:
    texts = ["abc", "a", "ab", "a", "é", "🍝🍝"]
    reply = ask(running)(texts=texts, top_k=1)
    assert reply.status == 200
    assert [each["intent"] for each in reply.json["results"]] == [MODEL.intent(text) for text in texts]
    assert reply.json["model"] == {"name": "intent", "version": 1}


def test_a_bad_item_has_an_error_of_its_own_and_fails_nobody_else(running: Gateway) -> None:
    texts = ["a", "", 3, None, ["b"], {"txt": "b"}, True, 1e30, " \n", "x" * 1001, NOT_A_NUMBER, "ab"]
    reply = ask(running)(texts=texts)
    assert reply.status == 200
    results = reply.json["results"]
    assert len(results) == len(texts)
    assert [results[0]["intent"], results[-1]["intent"]] == [MODEL.intent("a"), MODEL.intent("ab")]
    errors = [each["error"] for each in results[1:-1]]
    pointers = [f"/texts/{index}" for index in range(1, len(texts) - 1)]
    # Of an object, the field is named too.
    pointers[4] += "/txt"
    assert [each["pointer"] for each in errors] == pointers
    assert [(each["status"], each["code"]) for each in errors] == [
        *[(400, "invalid_request")] * 8,
        (413, "text_too_long"),
        (502, "model_contract_broken"),
    ]
    assert {each["title"] for each in errors} == {"Invalid request", "Text too long", "Model contract broken"}
    assert errors[0]["detail"] == "the text is empty; send what was said"
    assert errors[1]["detail"].startswith("the item is no text; send a string or {")


def test_texts_that_are_all_bad_are_200_without_a_version(running: Gateway) -> None:
    reply = ask(running)(texts=["", 1])
    assert reply.status == 200
    assert [each["error"]["code"] for each in reply.json["results"]] == ["invalid_request"] * 2
    assert reply.json["model"] == {"name": "intent", "version": None}


def test_texts_go_to_the_model_server_in_one_call(server: ModelServer) -> None:
    with gateway(model_server=server.address, **PATIENT) as alone:
        # The first request connects, and learns the labels of the version.
        ask(alone)(texts=["a"])
        before = _calls(alone)
        ask(alone)(texts=["a"] * 64)
        assert _calls(alone) - before == 1
        before = _calls(alone)
        assert ask(alone)(texts=["", 1]).status == 200
        assert _calls(alone) == before


def _calls(running: Gateway) -> int:
    """How many Predict calls the gateway has made."""
    for line in running.get("/metrics").body.decode().splitlines():
        if line.startswith("gateway_upstream_seconds_count{") and 'method="Predict"' in line:
            return int(float(line.rpartition(" ")[2]))
    return 0


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer", "detail"),
    [
        ({}, 400, "invalid_request", None, "`text` or `texts` is missing; send {"),
        ({"top_k": 1}, 400, "invalid_request", None, "`text` or `texts` is missing; send {"),
        ({"text": "a", "texts": ["a"]}, 400, "invalid_request", "/texts", "`text` and `texts` exclude each other"),
        ({"text": "a", "version": 1, "label": "stable"}, 400, "invalid_request", "/label", "`version` and `label` ex"),
        ({"texts": []}, 400, "invalid_request", "/texts", "Expected `array` of length >= 1"),
        ({"texts": "a"}, 400, "invalid_request", "/texts", "Expected `array`, got `str`"),
        ({"texts": {"0": "a"}}, 400, "invalid_request", "/texts", "Expected `array`, got `object`"),
        ({"texts": None}, 400, "invalid_request", "/texts", "Expected `array`, got `null`"),
        ({"text": None}, 400, "invalid_request", "/text", "Expected `str`, got `null`"),
        ({"text": "\t"}, 400, "invalid_request", "/text", "the text is empty; send what was said"),
        ({"text": "x" * 1001}, 413, "text_too_long", "/text", "the text has 1001 characters; send at most 1000"),
        ({"texts": ["a"] * 65}, 413, "too_many_texts", "/texts", "`texts` has 65 items; send at most 64"),
        ({"text": "a", "top_k": 0}, 400, "invalid_request", "/top_k", "Expected `int` >= 1"),
        ({"text": "a", "top_k": 1.5}, 400, "invalid_request", "/top_k", "Expected `int`, got `float`"),
        ({"text": "a", "top_k": True}, 400, "invalid_request", "/top_k", "Expected `int`, got `bool`"),
        ({"text": "a", "threshold": 1.1}, 400, "invalid_request", "/threshold", "Expected `float` <= 1.0"),
        ({"text": "a", "threshold": -0.1}, 400, "invalid_request", "/threshold", "Expected `float` >= 0.0"),
        ({"text": "a", "threshold": "0.5"}, 400, "invalid_request", "/threshold", "Expected `float`, got `str`"),
        ({"text": "a", "version": 0}, 400, "invalid_request", "/version", "Expected `int` >= 1"),
        ({"text": "a", "version": 2**63}, 400, "invalid_request", "/version", "Expected `int` <= 9223372036854775807"),
        ({"text": "a", "label": ""}, 400, "invalid_request", "/label", "Expected `str` of length >= 1"),
        ({"text": "a", "model": "b"}, 400, "invalid_request", "/model", "Object contains unknown field `model`"),
        ({"text": "a", "version": 9}, 404, "unknown_version", "/version", ""),
        ({"text": "a", "label": "planned"}, 404, "unknown_version", "/label", ""),
        ({"texts": ["a"], "label": "NUL \x00"}, 404, "unknown_version", "/label", ""),
    ],
)
def test_refusals(
    running: Gateway, body: dict[str, Any], status: int, code: str, pointer: str | None, detail: str
) -> None:
    reply = ask(running)(**body)
    assert reply.error[:2] == (status, code)
    assert reply.json.get("pointer") == pointer
    assert reply.json["detail"].startswith(detail)
    assert reply.json["request_id"] == reply.headers["X-Request-Id"]


@pytest.mark.parametrize("twice", ['"text": "b"', '"texts": ["b"], "texts": ["c"]', '"top_k": 1, "top_k": 1'])
def test_a_field_that_comes_twice_is_refused(running: Gateway, twice: str) -> None:
    body = f'{{"text": "a: b", {twice}}}'
    error = running.send("POST", "/v1/predict", body, Content_Type="application/json").error
    assert error[:2] == (400, "invalid_json")
    assert "more than once; send it once" in error[2]


@pytest.mark.parametrize(
    "item", ["[[[[[[[[1]]]]]]]]", '{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}', "[" * 900 + "]" * 900]
)
def test_depth_is_refused_even_in_an_item(running: Gateway, item: str) -> None:
    body = f'{{"texts": ["a", {item}]}}'
    error = running.send("POST", "/v1/predict", body, Content_Type="application/json").error
    assert error == (400, "invalid_json", "the body is nested deeper than 8 levels; send a flat object")


@pytest.mark.parametrize(
    ("named", "version", "model"),
    [
        ({}, 2, OTHER_MODEL),
        ({"version": 1}, 1, MODEL),
        ({"version": 2}, 2, OTHER_MODEL),
        ({"label": "stable"}, 1, MODEL),
    ],
)
def test_a_version_or_a_label_is_asked(both: Gateway, named: dict[str, Any], version: int, model: TinyModel) -> None:
    reply = ask(both)(text="a", **named)
    assert reply.json["model"]["version"] == version
    assert reply.json["result"]["intent"] == model.intent("a")
    query = "&".join(f"{name}={value}" for name, value in named.items())
    reply = both.get(f"/v1/intents?{query}")
    assert reply.json == {"model": {"name": "both", "version": version}, "intents": list(model.names)}


def test_the_settings_are_the_defaults(labelled: Gateway) -> None:
    result = ask(labelled)(text="a").json["result"]
    assert result == {
        "intent": None,
        "abstained": True,
        "score": PROBABILITY,
        "intents": [{"intent": MODEL.intent("a"), "score": PROBABILITY}],
    }


@pytest.mark.parametrize("query", ["", "?version=1", "?label=stable"])
def test_intents_are_those_of_the_version(running: Gateway, query: str) -> None:
    reply = running.get(f"/v1/intents{query}")
    assert reply.status == 200
    assert reply.json == {"model": {"name": "intent", "version": 1}, "intents": list(MODEL.names)}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("version=0", 400, "invalid_header"),
        ("version=-1", 400, "invalid_header"),
        ("version=1.0", 400, "invalid_header"),
        ("version=%D9%A1", 400, "invalid_header"),
        ("version=9223372036854775808", 400, "invalid_header"),
        ("version=" + "9" * 5000, 400, "invalid_header"),
        ("version=", 400, "invalid_header"),
        ("label=", 400, "invalid_header"),
        ("version=1&label=stable", 400, "invalid_header"),
        ("version=1&version=1", 400, "invalid_header"),
        ("verison=1", 400, "invalid_header"),
        ("version=9", 404, "unknown_version"),
        ("label=planned", 404, "unknown_version"),
        ("label=%00", 404, "unknown_version"),
        ("label=%ff", 404, "unknown_version"),
    ],
)
def test_a_wrong_query_is_refused(running: Gateway, query: str, status: int, code: str) -> None:
    assert running.get(f"/v1/intents?{query}").error[:2] == (status, code)


def test_models_lists_versions_and_states(running: Gateway) -> None:
    reply = running.get("/v1/models")
    assert reply.status == 200
    assert reply.json == {
        "name": "intent",
        "default_label": None,
        "versions": [{"version": 1, "state": "AVAILABLE", "error": None, "labels": []}],
    }


def test_models_tells_where_the_gateways_label_points(labelled: Gateway) -> None:
    assert labelled.get("/v1/models").json == {
        "name": "intent",
        "default_label": "stable",
        "versions": [{"version": 1, "state": "AVAILABLE", "error": None, "labels": ["stable"]}],
    }


def test_models_answers_even_if_the_label_points_nowhere(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_label="planned", **PATIENT) as running:
        assert running.get("/v1/models").json["versions"][0]["labels"] == []
        assert ask(running)(text="a").error[:2] == (503, "model_not_ready")


def test_a_version_that_is_gone_is_listed_with_its_state(server: ModelServer, models: Path) -> None:
    OTHER_MODEL.publish(models / "listed", 2)
    wait_for_state(server, "listed", 1, "END")
    with gateway(model_server=server.address, model_name="listed", **PATIENT) as running:
        states = {each["version"]: each["state"] for each in running.get("/v1/models").json["versions"]}
        assert states == {1: "END", 2: "AVAILABLE"}
        assert running.get("/v1/intents").json["intents"] == list(OTHER_MODEL.names)
        assert running.get("/v1/intents?version=1").error[:2] == (404, "unknown_version")


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "1e3", "abc", "", " ", "\u0661", "0x10", "00"])
@pytest.mark.parametrize("path", ["/v1/predict", "/predict", "/v1/intents", "/v1/models"])
def test_a_time_that_is_none_is_refused(running: Gateway, path: str, given: str) -> None:
    method, body = ("POST", '{"text": "a"}') if path.endswith("predict") else ("GET", None)
    headers = {"Content_Type": "application/json", "X_Request_Timeout": given.encode()}
    assert running.send(method, path, body, **headers).error == (
        400,
        "invalid_header",
        "X-Request-Timeout is no whole number of milliseconds; send one of 1 or more",
    )


@pytest.mark.parametrize("given", ["60000", "099999", "9" * 19, "9" * 5000])
def test_a_long_time_is_taken(running: Gateway, given: str) -> None:
    assert ask(running, X_Request_Timeout=given)(text="a").status == 200


def test_the_callers_time_is_the_deadline(line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running:
        line.hold(b"slow text")
        reply = ask(running, X_Request_Timeout="100")(text="slow text")
        assert reply.error[:2] == (504, "deadline_exceeded")
        # Nobody had a minute to wait for it.
        assert float(running.wait_for(r"total_ms=([\d.]+)")[1]) < 60_000


def test_a_longer_time_than_allowed_is_cut(line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", deadline_seconds=0.1, max_deadline_seconds=0.1) as running:
        line.hold(b"slow text")
        assert ask(running, X_Request_Timeout="3600000")(text="slow text").error[:2] == (504, "deadline_exceeded")
