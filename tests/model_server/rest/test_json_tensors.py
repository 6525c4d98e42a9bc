"""JSON values to tensors: what each dtype takes."""

from typing import Any

import pytest

from tests.model_server.rest_client import Rest, predict_body, refusal

TOY = "/v1/models/toy:predict"
INT32, INT64 = 2**31, 2**63


@pytest.mark.parametrize(
    ("dtype", "given", "answer"),
    [
        ("float32", [1, -2.5, 1e-3, 16777217], "[1.0, -2.5, 0.001, 16777216.0]"),
        ("float64", [1, 0.1, 1 / 3, 2**53 + 1], "[1.0, 0.1, 0.33333333333333331, 9007199254740992.0]"),
        ("int8", [-128, 127, 200], "[-128, 127, -56]"),
        ("int16", [-32768, 40000], "[-32768, -25536]"),
        ("int32", [-INT32, INT32 - 1], "[-2147483648, 2147483647]"),
        ("int64", [-INT64, INT64 - 1], "[-9223372036854775808, 9223372036854775807]"),
        ("uint8", [0, 255, 300, -1], "[0, 255, 44, 255]"),
        ("uint32", [0, 2 * INT32 - 1], "[0, 4294967295]"),
        ("uint64", [0, 2 * INT64 - 1], "[0, 18446744073709551615]"),
        ("bool", [True, False], "[true, false]"),
        ("string", ['a"b\\\x01\x1f\n/é', {"b64": "aGk="}], '["a\\"b\\\\\\u0001\\u001F\\n/é", "hi"]'),
    ],
)
@pytest.mark.parametrize("by_row", [True, False], ids=["rows", "columns"])
def test_values_by_dtype(rest: Rest, dtype: str, given: list[Any], answer: str, by_row: bool) -> None:
    found = rest.post(TOY, predict_body(dtype, **{"instances" if by_row else "inputs": given}))
    assert found.status == 200
    if by_row:
        assert found.text == f'{{\n    "predictions": {answer[:-1]}\n    ]\n}}'
    else:
        assert found.text.split('"outputs": ')[1] == answer.replace("[", "[\n        ").replace(
            ", ", ",\n        "
        ).replace("]", "\n    ]\n}")


@pytest.mark.parametrize(
    ("dtype", "value", "complaint"),
    [
        ("float32", "a", 'JSON Value: "a" Type: String is not of expected type: float'),
        ("float32", None, "JSON Value: null Type: Null is not of expected type: float"),
        ("float32", True, "JSON Value: true Type: True is not of expected type: float"),
        ("float64", False, "JSON Value: false Type: False is not of expected type: double"),
        ("float64", "1", 'JSON Value: "1" Type: String is not of expected type: double'),
        ("int32", 1.0, "JSON Value: 1.0 Type: Number is not of expected type: int32"),
        ("int32", INT32, "JSON Value: 2147483648 Type: Number is not of expected type: int32"),
        ("int32", True, "JSON Value: true Type: True is not of expected type: int32"),
        ("int8", -INT32 - 1, "JSON Value: -2147483649 Type: Number is not of expected type: int8"),
        ("uint8", 1e300, "JSON Value: 1e+300 Type: Number is not of expected type: uint8"),
        ("int64", INT64, "JSON Value: 9223372036854775808 Type: Number is not of expected type: int64"),
        ("uint32", -1, "JSON Value: -1 Type: Number is not of expected type: uint32"),
        ("uint64", -1, "JSON Value: -1 Type: Number is not of expected type: uint64"),
        ("bool", 1, "JSON Value: 1 Type: Number is not of expected type: bool"),
        ("string", 5, "JSON Value: 5 Type: Number is not of expected type: string"),
        ("string", {"b64": "a"}, "Unable to base64 decode"),
        ("string", {"b64": "a=Gk"}, "Unable to base64 decode"),
        ("string", {"b64": "aG-_"}, "Unable to base64 decode"),
    ],
)
def test_a_value_of_another_type(rest: Rest, dtype: str, value: Any, complaint: str) -> None:
    assert refusal(rest.post(TOY, predict_body(dtype, inputs=value))) == (400, complaint)
    wrapped = f"Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: {complaint}"
    first = {"string": "a", "bool": True}.get(dtype, 1)
    assert refusal(rest.post(TOY, predict_body(dtype, instances=[first, value]))) == (400, wrapped)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"b64": 5}, 'JSON Value: {\n    "b64": 5\n} not formatted correctly for base64 data'),
        ({}, "JSON Value: {} not formatted correctly for base64 data"),
        (
            {"b64": "aGk=", "a": 1},
            'JSON Value: {\n    "b64": "aGk=",\n    "a": 1\n} not formatted correctly for base64 data',
        ),
    ],
)
def test_an_object_that_is_no_base64(rest: Rest, value: Any, complaint: str) -> None:
    assert refusal(rest.post(TOY, predict_body("string", inputs=[value]))) == (400, complaint)


def test_an_object_for_a_number(rest: Rest) -> None:
    complaint = 'JSON Value: {\n    "b64": "aGk="\n} Type: Object is not of expected type: float'
    assert refusal(rest.post(TOY, predict_body("float32", inputs=[{"b64": "aGk="}]))) == (400, complaint)


@pytest.mark.parametrize("dtype", ["half", "bfloat16", "uint16", "complex64"])
def test_a_dtype_that_json_lacks(rest: Rest, dtype: str) -> None:
    complaint = f"Conversion of JSON Value: 1 to type: {dtype}"
    signature = {"half": "float16"}.get(dtype, dtype)
    assert refusal(rest.post(TOY, predict_body(signature, inputs=[1]))) == (501, complaint)
    wrapped = f"Failed to process element: 0 of 'instances' list. Error: UNIMPLEMENTED: {complaint}"
    assert refusal(rest.post(TOY, predict_body(signature, instances=[1]))) == (400, wrapped)


@pytest.mark.parametrize("text", ["aGk=", "aGk", " aG k=\n", "aGk.", ""])
def test_base64_may_lack_padding_and_hold_blanks(rest: Rest, text: str) -> None:
    answer = rest.post(TOY, predict_body("string", instances=[{"b64": text}]))
    assert answer.json() == {"predictions": ["hi" if text else ""]}
