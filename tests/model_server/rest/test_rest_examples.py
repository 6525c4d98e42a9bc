"""Classify and Regress over REST: JSON to tf.Examples, and their answers."""

import json
from typing import Any

import pytest

from tests.model_server.rest_client import Rest, refusal

CLASSIFY, REGRESS = "/v1/models/heads:classify", "/v1/models/heads:regress"


def body(signature: str = "", examples: Any = None, **members: Any) -> str:
    """A request."""
    named = {"signature_name": signature} if signature else {}
    return json.dumps(named | members | ({} if examples is None else {"examples": examples}))


X = [{"x": 0.25}, {"x": -3.0}]


@pytest.mark.parametrize(
    ("request_", "results"),
    [
        pytest.param(
            body("classify", X),
            '[[["low", 0.75], ["high", 0.25]], [["low", 4.0], ["high", -3.0]]',
            id="labels and scores",
        ),
        pytest.param(body("", X[:1]), '[[["low", 0.75], ["high", 0.25]]', id="default signature"),
        pytest.param(body("classes_only", X[:1]), '[[["low", 0.0], ["high", 0.0]]', id="labels"),
        pytest.param(body("scores_only", X[:1]), '[[["", 0.75], ["", 0.25]]', id="scores"),
        pytest.param(body("no_columns", X), "[[], []", id="no classes"),
        pytest.param(
            body("classify", [{}], context={"x": 0.5}), '[[["low", 0.5], ["high", 0.5]]', id="a context is merged in"
        ),
        pytest.param(
            body("classify", [{"x": [0.25], "more": [1, True], "text": ["a", {"b64": "aGk="}], "none": []}]),
            '[[["low", 0.75], ["high", 0.25]]',
            id="features of every kind",
        ),
    ],
)
def test_classify(rest: Rest, request_: str, results: str) -> None:
    answer = rest.post(CLASSIFY, request_)
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.text == f'{{\n    "results": {results}\n    ]\n}}'


@pytest.mark.parametrize("signature", ["regress", "column"])
def test_regress(rest: Rest, signature: str) -> None:
    answer = rest.post(REGRESS, body(signature, X))
    assert (answer.status, answer.text) == (200, '{\n    "results": [0.5, -6.0]\n}')


@pytest.mark.parametrize("path", [CLASSIFY, REGRESS], ids=["classify", "regress"])
@pytest.mark.parametrize(
    ("request_", "message"),
    [
        pytest.param(
            body(3, X),  # type: ignore[arg-type]
            'JSON Value: {\n    "signature_name": 3,\n    "examples": [{\n            "x": 0.25\n        }, {\n'
            '            "x": -3.0\n        }]\n} not formatted correctly. '
            "'signature_name' key must be a string value.",
            id="signature name is no string",
        ),
        pytest.param(
            body(),
            "JSON Value: {} When method is classify, key 'examples' is expected and was not found",
            id="no examples, Regress says classify too",
        ),
        pytest.param(
            body("", {"x": 1}),
            'JSON Value: {\n    "examples": {\n        "x": 1\n    }\n} '
            "Expecting 'examples' value to be an list/array",
            id="examples are no list",
        ),
        pytest.param(
            body("", []), "JSON Value: {\n    \"examples\": []\n} 'examples' value is an empty array", id="empty list"
        ),
        pytest.param(body("", [[]]), "Example must be JSON object but got JSON Array", id="a list for an example"),
        pytest.param(body("", [None]), "Example must be JSON object but got JSON Null", id="null for an example"),
        pytest.param(body("", X, context=[]), "Example must be JSON object but got JSON Array", id="context"),
        pytest.param(
            body("", [{"x": None}]), "Feature: x has element with unexpected JSON type: Null", id="null for a feature"
        ),
        pytest.param(
            body("", [{"x": [[1]]}]), "Feature: x has element with unexpected JSON type: Array", id="nested list"
        ),
        pytest.param(
            body("", [{"x": {"b64": 1}}]), "Feature: x has element with unexpected JSON type: Object", id="an object"
        ),
        pytest.param(body("", [{"x": {"b64": "?"}}]), "Unable to base64 decode", id="base64"),
        pytest.param(
            body("", [{"x": [1.5, 2]}]),
            "Unexpected element type in feature: x expecting type: float",
            id="int64 in float",
        ),
        pytest.param(
            body("", [{"x": [True, 2.0]}]),
            "Unexpected element type in feature: x expecting type: int64",
            id="float in int64",
        ),
        pytest.param(
            body("", [{"x": ["a", False]}]),
            "Unexpected element type in feature: x expecting type: bytes",
            id="int64 in bytes",
        ),
        pytest.param(
            body("", [{"x": 2**63}]),
            "Feature: x has uint64_t element. Only int64_t is supported.",
            id="beyond int64",
        ),
    ],
)
def test_refuses_before_the_model_is_asked(rest: Rest, path: str, request_: str, message: str) -> None:
    assert refusal(rest.post(path, request_)) == (400, message)


def test_a_whole_number_is_an_int64_feature(rest: Rest) -> None:
    status, message = refusal(rest.post(CLASSIFY, body("classify", [{"x": 2}])))
    assert status == 400
    assert "Data type: int64 but expected type: float" in message


@pytest.mark.parametrize("path", [CLASSIFY, REGRESS], ids=["classify", "regress"])
def test_the_checks_of_grpc_apply(rest: Rest, path: str) -> None:
    assert refusal(rest.post(path, body("nope", X))) == (400, "No signature was found with the name: nope")
