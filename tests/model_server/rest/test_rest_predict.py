"""Predict over REST: row and column format, and what is wrong with a request."""

import json
from typing import Any

import pytest

from tests.model_server.rest_client import Rest, predict_body, refusal

TOY, LAYOUTS = "/v1/models/toy:predict", "/v1/models/layouts:predict"
CORRECT = " required as per tensorinfo_map"


def quoted(document: str) -> str:
    """A request as messages quote it: four blanks, arrays on one line."""
    return f"JSON Value: {document}"


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        pytest.param(predict_body(instances=[1, 4.5]), [2.5, 4.25], id="plain values"),
        pytest.param(predict_body(instances=[{"x": 1}, {"x": 2}]), [2.5, 3.0], id="objects"),
        pytest.param(predict_body("", instances=[1]), [2.5], id="no signature name"),
        pytest.param(json.dumps({"signature_name": "", "instances": [1]}), [2.5], id="empty signature name"),
        pytest.param(predict_body(instances=[[1], [2]]), [[2.5], [3.0]], id="rows of one"),
        pytest.param(predict_body(instances=[[], []]), [[], []], id="empty rows"),
        pytest.param(
            predict_body("two", instances=[{"p": [1, 2], "q": 3}, {"q": -4, "p": [5, 6]}]),
            [{"sum": 3.0, "twice": 6, "positive": True}, {"sum": 11.0, "twice": -8, "positive": False}],
            id="several inputs and outputs",
        ),
    ],
)
def test_row_format(rest: Rest, request_: str, answer: Any) -> None:
    found = rest.post(TOY, request_)
    assert (found.status, found.content_type) == (200, "application/json")
    assert found.json() == {"predictions": answer}


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        pytest.param(predict_body(inputs=[1, 4.5]), [2.5, 4.25], id="plain value"),
        pytest.param(predict_body(inputs={"x": [1]}), [2.5], id="object"),
        pytest.param(predict_body(inputs={"x": [1], "more": [[]]}), [2.5], id="surplus names are not looked at"),
        pytest.param(predict_body("scalar", inputs=3), 9.0, id="a scalar in and out"),
        pytest.param(predict_body("float32", inputs=[]), [], id="nothing"),
        pytest.param(predict_body("float32", inputs=[[[1]], [[2]]]), [[[1.0]], [[2.0]]], id="whatever rank"),
        pytest.param(
            predict_body("two", inputs={"p": [[1, 2]], "q": [3]}),
            {"sum": [3.0], "twice": [6], "positive": [True]},
            id="several inputs and outputs",
        ),
    ],
)
def test_column_format(rest: Rest, request_: str, answer: Any) -> None:
    found = rest.post(TOY, request_)
    assert (found.status, found.content_type) == (200, "application/json")
    assert found.json() == {"outputs": answer}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        pytest.param(
            predict_body(5, instances=[1]),  # type: ignore[arg-type]
            quoted('{\n    "signature_name": 5,\n    "instances": [1]\n}')
            + " not formatted correctly. 'signature_name' key must be a string value.",
            id="signature name is no string",
        ),
        pytest.param(
            predict_body("nope", instances=[]),
            'Serving signature name: "nope" not found in signature def',
            id="signature",
        ),
        pytest.param(predict_body(), "Missing 'inputs' or 'instances' key", id="neither key"),
        pytest.param(
            predict_body(inputs=[1], instances={"a": [[1.5, None], {}]}),
            quoted('{\n    "inputs": [1],\n    "instances": {\n        "a": [[1.5, null], {}]\n    }\n}')
            + " Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ",
            id="both keys",
        ),
        pytest.param(
            predict_body(instances="a"),
            quoted('{\n    "instances": "a"\n}') + " Expecting 'instances' to be an list/array",
            id="instances are no list",
        ),
        pytest.param(
            predict_body(instances=[]),
            quoted('{\n    "instances": []\n}') + " No values in 'instances' array",
            id="no instance",
        ),
        pytest.param(
            predict_body("two", instances=[[1, 2]]),
            "instances is a plain list, but expecting list of objects as multiple input tensors" + CORRECT,
            id="plain rows for several inputs",
        ),
        pytest.param(
            predict_body("two", inputs=[1]),
            "inputs is a plain value/list, but expecting an object as multiple input tensors" + CORRECT,
            id="plain value for several inputs",
        ),
        pytest.param(
            predict_body("two", inputs={"p": [[1]]}),
            "Missing named input: q in 'inputs' object.",
            id="an input is missing",
        ),
        pytest.param(
            predict_body("two", instances=[{"p": [1]}]),
            "Failed to process element: 0 of 'instances' list. "
            'JSON object: {\n    "p": [1]\n} keys must be equal to: p,q',
            id="a row lacks an input",
        ),
        pytest.param(
            predict_body(instances=[{"x": 1}, {"x": 1, "z": 2}]),
            "Failed to process element: 1 key: z of 'instances' list. "
            "Error: INVALID_ARGUMENT: JSON object: does not have named input: z",
            id="a row has too much",
        ),
        pytest.param(
            predict_body(instances=[{"x": 1}, 2]),
            "Expecting object but got list at item 1 of input list",
            id="a plain row among objects",
        ),
        pytest.param(
            predict_body(instances=[1, {"x": 1}]),
            "Expecting value/list but got object at item 1 of input list",
            id="an object among plain rows",
        ),
        pytest.param(
            predict_body(instances=[[1, 2], [3]]),
            "Failed to process element: 1 of 'instances' list. "
            "Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 1",
            id="rows of other size",
        ),
        pytest.param(
            predict_body("float32", instances=[[[1, 2]], [[3], [4]]]),
            "Failed to process element: 1 of 'instances' list. "
            "Error: INVALID_ARGUMENT: Expecting shape [1,2] but got: [2,1]",
            id="rows of other shape",
        ),
        pytest.param(
            predict_body(instances=[1, [2]]),
            "Failed to process element: 1 of 'instances' list. "
            "Error: INVALID_ARGUMENT: Expecting shape [] but got: [1]",
            id="a list among values",
        ),
        pytest.param(
            predict_body("two", instances=[{"p": [1], "q": 1}, {"p": [1, 2], "q": 1}]),
            "Failed to process element: 1 key: p of 'instances' list. "
            "Error: INVALID_ARGUMENT: Expecting tensor size: 1 but got: 2",
            id="the key is named",
        ),
        pytest.param(
            predict_body("float32", inputs=[[1, 2], [3]]),
            "Encountered list at unexpected size: 1 at level: 1 expected size: 2",
            id="ragged lists",
        ),
        pytest.param(
            predict_body("float32", inputs=[1, [2]]),
            "Encountered list at unexpected level: 1 expected < 1",
            id="a list too deep",
        ),
        pytest.param(
            predict_body("float32", inputs=[[1], 2.5]),
            "JSON Value: 2.5 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
            id="a value too high",
        ),
        pytest.param(
            predict_body("float32", inputs=[[], [1]]),
            "Encountered list at unexpected size: 1 at level: 1 expected size: 0",
            id="the first list counts",
        ),
    ],
)
def test_refuses(rest: Rest, request_: str, message: str) -> None:
    assert refusal(rest.post(TOY, request_)) == (400, message)


def test_a_signature_without_inputs_cannot_be_asked(rest: Rest) -> None:
    message = "Failed to get input map for signature: no_inputs"
    assert refusal(rest.post(LAYOUTS, predict_body("no_inputs", inputs={}))) == (400, message)


def test_an_op_error_is_the_runtimes_own(rest: Rest) -> None:
    status, message = refusal(rest.post(TOY, predict_body("boom", instances=[11])))
    assert status == 400
    assert message.startswith("assertion failed: [x must stay below ten] ")
    assert "\n\t [[{{" in message


def test_a_long_message_is_not_cut(rest: Rest) -> None:
    _, message = refusal(rest.post(TOY, predict_body("x" * 2000, instances=[1])))
    assert message == f'Serving signature name: "{"x" * 2000}" not found in signature def'


def test_a_quoted_request_is_cut(rest: Rest) -> None:
    _, message = refusal(rest.post(TOY, predict_body(inputs=list(range(1000)), instances=[])))
    start, _, end = message.partition(" Not formatted correctly")
    assert 250 < len(start) < 300
    assert end
