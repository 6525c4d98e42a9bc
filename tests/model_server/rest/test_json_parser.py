"""The JSON of a request body: RapidJSON's complaints with their offsets, and what it lets pass."""

import pytest

from tests.model_server.rest_client import Rest, refusal

PATH = "/v1/models/toy:predict"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "The document is empty"),
        ("  \n", "The document is empty. at offset: 3"),
        ("{", "Missing a name for object member. at offset: 1"),
        ('{"instances": [1],}', "Missing a name for object member. at offset: 18"),
        ("{instances: [1]}", "Missing a name for object member. at offset: 1"),
        ("{'instances': [1]}", "Missing a name for object member. at offset: 1"),
        ('{"instances" [1]}', "Missing a colon after a name of object member. at offset: 13"),
        ('{"instances"', "Missing a colon after a name of object member. at offset: 12"),
        ('{"instances": }', "Invalid value. at offset: 14"),
        ('{"instances": [1,]}', "Invalid value. at offset: 17"),
        ('{"instances": [,1]}', "Invalid value. at offset: 15"),
        ('{"instances": [.5]}', "Invalid value. at offset: 15"),
        ('{"instances": [+1]}', "Invalid value. at offset: 15"),
        ('{"instances": [-]}', "Invalid value. at offset: 16"),
        ('{"instances": [nul]}', "Invalid value. at offset: 18"),
        ('{"instances": [True]}', "Invalid value. at offset: 15"),
        ('{"instances": [Nan]}', "Invalid value. at offset: 17"),
        ('{"instances": [Infinit]}', "Invalid value. at offset: 22"),
        ("x", "Invalid value. at offset: 0"),
        ('{"instances": [1 2]}', "Missing a comma or ] after an array element. at offset: 17"),
        ('{"instances": [01]}', "Missing a comma or ] after an array element. at offset: 16"),
        ('{"instances": [1', "Missing a comma or ] after an array element. at offset: 16"),
        ('{"instances": [1]', "Missing a comma or } after an object member. at offset: 17"),
        ('{"instances": [1]]', "Missing a comma or } after an object member. at offset: 17"),
        ('{"instances": [1.]}', "Miss fraction part in number. at offset: 17"),
        ('{"instances": [1e]}', "Miss exponent in number. at offset: 17"),
        ('{"instances": [1e400]}', "Number too big to be stored in double. at offset: 15"),
        ('{"instances": ["a]}', "Missing a closing quotation mark in string. at offset: 19"),
        ('{"instances": ["a\tb"]}', "Invalid escape character in string. at offset: 17"),
        ('{"instances": ["\\x"]}', "Invalid escape character in string. at offset: 16"),
        ('{"instances": ["\\u12"]}', "Incorrect hex digit after \\u escape in string. at offset: 16"),
        ('{"instances": ["\\ud800"]}', "The surrogate pair in string is invalid. at offset: 16"),
        ('{"instances": ["é", x]}', "Invalid value. at offset: 21"),
    ],
)
def test_names_the_fault_and_its_byte(rest: Rest, body: str, complaint: str) -> None:
    assert refusal(rest.post(PATH, body)) == (400, f"JSON Parse error: {complaint}")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("[1]", "[1]"),
        ("[]", "[]"),
        ("[[1, 2.5], []]", "[[1, 2.5], []]"),
        ("3", "3"),
        ("1.50", "1.5"),
        ("12345678.5", "12345678.0"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("null", "null"),
        ("true", "true"),
        ('"a\\"b\\u0001\\n\\u00e9/"', '"a\\"b\\u0001\\né/"'),
    ],
)
def test_anything_but_an_object_is_quoted(rest: Rest, body: str, value: str) -> None:
    assert refusal(rest.post(PATH, body)) == (400, f"JSON Value: {value} Is not object")


@pytest.mark.parametrize(
    ("body", "predictions"),
    [
        pytest.param('{"instances": [1]} trailing', [2.5], id="text after the document"),
        pytest.param('{"instances": [1]}{', [2.5], id="another document after it"),
        pytest.param(b'{"instances": [1]}\0', [2.5], id="NUL after the document"),
        pytest.param(b'\xef\xbb\xbf{"instances": [1]}', [2.5], id="byte order mark"),
        pytest.param('\t\r\n {"instances" :\n[ 1 , 2 ] }', [2.5, 3.0], id="blanks"),
        pytest.param('{"instances": [1], "instances": [5]}', [2.5], id="of repeated names the first counts"),
        pytest.param('{"instances": [{"x": 1, "x": 9}]}', [2.5], id="surplus values of a repeated input are dropped"),
        pytest.param('{"insta\\u006eces": [1]}', [2.5], id="escapes in names"),
        pytest.param('{"instances": [1e0, 10E-1, 0.1e+1]}', [2.5, 2.5, 2.5], id="exponents"),
        pytest.param('{"instances": [1e-400]}', [2.0], id="too small is zero"),
        pytest.param('{"instances": [123456789012345678901234567890]}', [6.17283946e28], id="beyond 64 bits"),
    ],
)
def test_lets_pass(rest: Rest, body: str | bytes, predictions: list[float]) -> None:
    answer = rest.post(PATH, body)
    assert (answer.status, answer.json()) == (200, {"predictions": predictions})


def test_numbers_without_bounds_are_tokens(rest: Rest) -> None:
    answer = rest.post(PATH, '{"instances": [NaN, Infinity, -Infinity, Inf, -Inf, 1e39]}')
    assert answer.text == ('{\n    "predictions": [NaN, Infinity, -Infinity, Infinity, -Infinity, Infinity\n    ]\n}')


@pytest.mark.parametrize(
    ("text", "content"),
    [
        pytest.param(b'"\\u00e9\\u20ac\\ud83d\\ude00"', "é€😀".encode(), id="escapes, surrogate pairs included"),
        pytest.param('"é€😀"'.encode(), "é€😀".encode(), id="as they are"),
        pytest.param(b'"\xff\xfe"', b"\xff\xfe", id="bytes that are not UTF-8"),
        pytest.param(b'"\\udc00"', b"\xed\xb0\x80", id="a lone low half"),
        pytest.param(b'"a\\u0000b\\/\\b\\f"', b"a\0b/\b\f", id="control characters"),
    ],
)
def test_strings_are_bytes(rest: Rest, text: bytes, content: bytes) -> None:
    answer = rest.post(PATH, b'{"signature_name": "string", "inputs": [' + text + b"]}")
    written = content.replace(b"\0", b"\\u0000").replace(b"\b", b"\\b").replace(b"\f", b"\\f")
    assert answer.content == b'{\n    "outputs": [\n        "' + written + b'"\n    ]\n}'


def test_depth_is_no_danger(rest: Rest) -> None:
    body = '{"instances": ' + "[" * 2000 + "]" * 2000 + "}"
    assert rest.post(PATH, body).status == 400
    assert rest.post(PATH, '{"instances": [1]}').status == 200
