"""Cases that upstream's own tests and its HTTP and JSON libraries suggest, beyond the tables of the other modules.

Each holds for either server.
"""

import socket

import grpc
import pytest

from tests.model_server.client import CALL_SECONDS, Client, predict_request
from tests.model_server.rest_client import CALL_SECONDS as REST_SECONDS
from tests.model_server.rest_client import Rest, predict_body, refusal
from tests.servers import ModelServer

PREDICT = "/v1/models/toy:predict"
PAGE = "<HTML><HEAD>\n<TITLE>{0} {1}</TITLE>\n</HEAD><BODY>\n<H1>{1}</H1>\n</BODY></HTML>\n"
TOO_BIG = "JSON Parse error: Number too big to be stored in double. at offset: 38"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        pytest.param("metadata", 404, "Could not find any versions of model metadata", id="a model called metadata"),
        pytest.param("labels", 404, "Could not find any versions of model labels", id="a model called labels"),
        pytest.param(
            "labels/metadata", 404, "Servable not found for request: Latest(labels)", id="metadata of such a model"
        ),
        pytest.param("versions/1", 400, "Missing model name in request.", id="a version of no model"),
        pytest.param("debug/model_name", 400, "Malformed request: GET /v1/models/debug/model_name", id="two names"),
        pytest.param("a+b", 404, "Could not find any versions of model a+b", id="a plus is no blank"),
        pytest.param("toy#x", 404, "Could not find any versions of model toy#x", id="a fragment belongs to the path"),
    ],
)
def test_a_name_is_preferred_to_none(rest: Rest, path: str, status: int, message: str) -> None:
    assert refusal(rest.get(f"/v1/models/{path}")) == (status, message)


@pytest.mark.parametrize("digits", ["9" * 5000, "18446744073709551615"], ids=["5000 digits", "uint64"])
def test_a_version_of_any_length_is_refused(rest: Rest, digits: str) -> None:
    assert rest.get(f"/v1/models/toy/versions/{digits}").status == 400


def test_leading_zeros_of_any_length(rest: Rest) -> None:
    assert rest.get(f"/v1/models/toy/versions/{'0' * 5000}1").status == 200


def test_scheme_and_host_may_stand_before_the_path(rest: Rest) -> None:
    assert rest.get("http://example.org:80/v1/models/toy").status == 200
    assert rest.get("http://example.org/nothing").status == 404


@pytest.mark.parametrize("path", ["/v1/models/toy|x", "/v1/models/toy%zz", '/v1/models/"toy"', "/{}"])
def test_what_must_be_escaped_in_a_path_is_a_bad_request(rest: Rest, path: str) -> None:
    answer = rest.get(path)
    assert (answer.status, answer.content_type, answer.text) == (400, "text/html", PAGE.format(400, "Bad Request"))


def test_a_method_beyond_the_common_ones_is_not_implemented(rest: Rest) -> None:
    answer = rest.ask("TRACE", "/v1/models/toy")
    page = PAGE.format(501, "Not Implemented")
    assert (answer.status, answer.content_type, answer.text) == (501, "text/html", page)


def test_a_404_page_ends_the_connection(shared: ModelServer) -> None:
    with socket.create_connection(("127.0.0.1", shared.rest_port), REST_SECONDS) as connection:
        connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(1000), b""))
    assert b"\r\nConnection: close\r\n" in answer


def test_head_has_no_limit_of_its_own(rest: Rest) -> None:
    name = "a" * 20_000
    message = f"Could not find any versions of model {name}"
    assert refusal(rest.get(f"/v1/models/{name}")) == (404, message)
    assert rest.ask("GET", "/v1/models/toy", headers={"X-Large": name}).status == 200


@pytest.mark.parametrize(
    "number",
    ["9" * 309, "-" + "9" * 309, "1" + "0" * 309, "1" + "0" * 5000, "1e309", "1e0000000000000309"],
    ids=["309 nines", "negative", "310 digits", "5001 digits", "exponent", "exponent with leading zeros"],
)
def test_a_number_beyond_a_double_does_not_parse(rest: Rest, number: str) -> None:
    body = f'{{"signature_name":"float64","inputs":[{number}]}}'
    assert refusal(rest.post(PREDICT, body)) == (400, TOO_BIG)


@pytest.mark.parametrize(
    ("number", "value"),
    [("1" + "0" * 308, "1e+308"), ("0.1e309", "1e+308"), ("1e0000000000000004", "10000.0"), ("1e-0400", "0.0")],
    ids=["309 digits", "fraction", "leading zeros", "below a double"],
)
def test_the_largest_numbers_parse(rest: Rest, number: str, value: str) -> None:
    body = f'{{"signature_name":"float64","inputs":{number}}}'
    assert rest.post(PREDICT, body).text == f'{{\n    "outputs": {value}\n}}'


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "uint16", "complex64"])
def test_nothing_of_a_dtype_that_json_lacks_is_a_tensor(rest: Rest, dtype: str) -> None:
    assert rest.post(PREDICT, predict_body(dtype, inputs=[])).json() == {"outputs": []}
    assert rest.post(PREDICT, predict_body(dtype, instances=[[], []])).json() == {"predictions": [[], []]}


@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_a_rank_beyond_the_limit_is_refused_as_a_tensor(rest: Rest, key: str) -> None:
    body = f'{{"{key}": {"[" * 300}1{"]" * 300}}}'
    assert refusal(rest.post(PREDICT, body)) == (400, "tensor parsing error: x")


def test_a_quoted_request_is_cut_by_bytes(rest: Rest) -> None:
    _, message = refusal(rest.post(PREDICT, '{"instances": [], "text": "' + "é" * 150 + '"}'))
    assert message.endswith("é" * 150 + "\" No values in 'instances' array")


@pytest.mark.parametrize("verb", ["classify", "regress"])
def test_names_that_are_not_unicode_are_names(rest: Rest, verb: str) -> None:
    path = f"/v1/models/heads:{verb}"
    answer = rest.post(path, b'{"signature_name": "\xff", "examples": [{"x": 0.5}]}')
    assert answer.status == 400
    assert answer.text.startswith('{\n    "error": "No signature was found with the name: ')
    assert (
        rest.post(path, b'{"signature_name": "%s", "examples": [{"x": 0.5, "\xff": 1}]}' % verb.encode()).status == 200
    )


def test_an_output_that_the_graph_does_not_have(client: Client) -> None:
    # The op behind this signature only initialises.
    with pytest.raises(grpc.RpcError) as caught:
        client.predict(predict_request({}, signature_name="__saved_model_init_op"))
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE
    assert caught.value.details() == "Node 'NoOp' (type: 'NoOp', num of outputs: 0) does not have output 0"


@pytest.mark.parametrize("method", ["PredictionService/Predict", "ModelService/GetModelStatus"])
def test_bytes_that_are_no_request(client: Client, method: str) -> None:
    call = client.channel.unary_unary(f"/tensorflow.serving.{method}")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"\xff\xff\xff", timeout=CALL_SECONDS)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INTERNAL, "")
