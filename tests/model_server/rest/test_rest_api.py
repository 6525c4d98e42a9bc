"""REST paths, methods, status and metadata pages."""

import json

import pytest

from tests.model_server.rest_client import Rest, refusal

NOT_FOUND = "<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n<H1>Not Found</H1>\n</BODY></HTML>\n"
BODY = '{"instances": [1]}'
BEYOND_INT64 = "9223372036854775808"
AVAILABLE = (
    ' {\n   "version": "%d",\n   "state": "AVAILABLE",\n   "status": {\n    "error_code": "OK",\n'
    '    "error_message": ""\n   }\n  }'
)


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/models/toy", "/models/toy", "/metrics", "/v1x/models/toy"])
def test_other_paths_are_a_plain_404_page(rest: Rest, path: str) -> None:
    answer = rest.get(path)
    assert (answer.status, answer.content_type, answer.text) == (404, "text/html", NOT_FOUND)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/v1/", id="nothing"),
        pytest.param("GET", "/v1/models/", id="no name after the slash"),
        pytest.param("GET", "/v1/models/toy/", id="trailing slash"),
        pytest.param("GET", "/v1/models/toy/versions", id="no version"),
        pytest.param("GET", "/v1/models/toy/versions/-1", id="version with a sign"),
        pytest.param("GET", "/v1/models/toy/versions/x", id="version is no number"),
        pytest.param("GET", "/v1/models/toy/versions/1/labels/stable", id="version and label"),
        pytest.param("GET", "/v1/models/toy/metadata/x", id="more after metadata"),
        pytest.param("GET", "/v1/models/toy:predict", id="GET of a verb"),
        pytest.param("GET", "/v1/models/toy/metadata?x=1", id="query after metadata"),
        pytest.param("POST", "/v1/models/toy", id="POST without a verb"),
        pytest.param("POST", "/v1/models/toy:nope", id="unknown verb"),
        pytest.param("POST", "/v1/models/toy:Predict", id="verb in upper case"),
        pytest.param("POST", "/v1/models/toy:predict?x=1", id="query after the verb"),
        pytest.param("POST", "/v1/models/toy:predict/", id="slash after the verb"),
        pytest.param("POST", "/v1/models:predict", id="verb without a model"),
        pytest.param("POST", "/v1/models/toy/metadata", id="POST of the metadata"),
        pytest.param("POST", "/V1/Models/toy/Versions/1:regresS", id="path as it was written"),
        pytest.param("PUT", "/v1/models/toy:predict", id="PUT"),
        pytest.param("DELETE", "/v1/models/toy", id="DELETE"),
        pytest.param("PATCH", "/v1/models/toy", id="PATCH"),
    ],
)
def test_what_has_no_route_is_malformed(rest: Rest, method: str, path: str) -> None:
    assert refusal(rest.ask(method, path, BODY)) == (400, f"Malformed request: {method} {path}")


def test_head_has_no_route_either(rest: Rest) -> None:
    assert rest.ask("HEAD", "/v1/models/toy").status == 400


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        pytest.param("/v1/models", 400, "Missing model name in request.", id="no model"),
        pytest.param("/v1/models/versions/1", 400, "Missing model name in request.", id="only a version"),
        pytest.param("/v1/models/labels/x/metadata", 400, "Missing model name in request.", id="only a label"),
        pytest.param("/v1/models/ghost", 404, "Could not find any versions of model ghost", id="unknown model"),
        pytest.param("/v1/models/toy/versions/9", 404, "Could not find version 9 of model toy", id="unknown version"),
        pytest.param("/v1/models/toy?verbose=1", 404, "Could not find any versions of model toy?verbose=1", id="query"),
        pytest.param(
            f"/v1/models/toy/versions/{BEYOND_INT64}",
            400,
            f"Failed to convert version: {BEYOND_INT64} to numeric.",
            id="version beyond int64",
        ),
        pytest.param(
            "/v1/models/a%20b%2Fc%25", 404, "Could not find any versions of model a b/c%", id="percent-decoded"
        ),
        pytest.param(
            "/v1/models/ghost/metadata", 404, "Servable not found for request: Latest(ghost)", id="metadata of a ghost"
        ),
        pytest.param(
            "/v1/models/toy/versions/9/metadata",
            404,
            "Servable not found for request: Specific(toy, 9)",
            id="metadata of an unknown version",
        ),
        pytest.param(
            "/v1/models/toy/labels/n%6Fpe/metadata",
            400,
            "Unrecognized servable version label: nope",
            id="metadata of an unknown label",
        ),
    ],
)
def test_a_page_that_cannot_be_shown(rest: Rest, path: str, status: int, message: str) -> None:
    assert refusal(rest.get(path)) == (status, message)


@pytest.mark.parametrize(
    ("path", "versions"),
    [
        pytest.param("/v1/models/toy", [2, 1], id="highest version first"),
        pytest.param("/v1/models/to%79", [2, 1], id="percent-decoded name"),
        pytest.param("/V1/MODELS/toy", [2, 1], id="case is ignored in what is no name"),
        pytest.param("/v1/models/toy/versions/1", [1], id="one version"),
        pytest.param("/v1/models/toy/versions/0001", [1], id="leading zeros"),
        pytest.param("/v1/models/toy/labels/nope", [2, 1], id="a label is not looked at"),
        pytest.param("/v1/models/toy/METADATA", [2, 1], id="metadata in upper case is the status"),
    ],
)
def test_the_status_page(rest: Rest, path: str, versions: list[int]) -> None:
    answer = rest.get(path)
    assert (answer.status, answer.content_type) == (200, "application/json")
    states = ",\n ".join(AVAILABLE % version for version in versions)
    assert answer.text == f'{{\n "model_version_status": [\n {states}\n ]\n}}\n'


@pytest.mark.parametrize(
    ("path", "version"),
    [
        pytest.param("/v1/models/toy/metadata", "2", id="highest version"),
        pytest.param("/v1/models/toy/versions/1/metadata", "1", id="version"),
        pytest.param("/v1/models/toy/labels/stable/metadata", "1", id="label"),
    ],
)
def test_the_metadata_page(rest: Rest, path: str, version: str) -> None:
    answer = rest.get(path)
    assert (answer.status, answer.content_type) == (200, "application/json")
    start = f'{{\n"model_spec":{{\n "name": "toy",\n "version": "{version}",\n "signature_name": ""\n}}\n,\n'
    assert answer.text.startswith(start + '"metadata": {"signature_def": {\n "signature_def": {\n  "')
    assert answer.text.endswith("\n }\n}\n}\n}\n")
    signatures = answer.json()["metadata"]["signature_def"]["signature_def"]
    assert {"serving_default", "two", "__saved_model_init_op"} <= signatures.keys()
    two = signatures["two"]
    assert two["inputs"]["p"]["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}, {"size": "-1", "name": ""}],
        "unknown_rank": False,
    }
    assert two["inputs"]["q"]["dtype"] == "DT_INT64"
    assert list(two) == ["inputs", "outputs", "method_name", "defaults"]
    assert two["defaults"] == {}
    assert signatures["int8"]["inputs"]["value"]["tensor_shape"] == {"dim": [], "unknown_rank": True}


@pytest.mark.parametrize(
    ("path", "y"),
    [
        pytest.param("/v1/models/toy:predict", 2.5, id="highest version"),
        pytest.param("/v1/models/toy/versions/1:predict", 1.5, id="version"),
        pytest.param("/v1/models/toy/labels/stable:predict", 1.5, id="label"),
        pytest.param("/v1/models/toy/labels/can%61ry:predict", 2.5, id="percent-decoded label"),
        pytest.param("/v1/models/%74oy:predict", 2.5, id="percent-decoded name"),
    ],
)
def test_the_path_chooses_the_version(rest: Rest, path: str, y: float) -> None:
    answer = rest.post(path, BODY)
    assert (answer.status, answer.json()) == (200, {"predictions": [y]})


@pytest.mark.parametrize("verb", ["predict", "classify", "regress"])
@pytest.mark.parametrize(
    ("model", "status", "message"),
    [
        pytest.param("ghost", 404, "Servable not found for request: Latest(ghost)", id="model"),
        pytest.param("toy/versions/9", 404, "Servable not found for request: Specific(toy, 9)", id="version"),
        pytest.param("toy/labels/nope", 400, "Unrecognized servable version label: nope", id="label"),
    ],
)
def test_an_unknown_target(rest: Rest, verb: str, model: str, status: int, message: str) -> None:
    body = json.dumps({"instances": [1], "examples": [{"x": 1.0}]})
    assert refusal(rest.post(f"/v1/models/{model}:{verb}", body)) == (status, message)


@pytest.mark.parametrize("verb", ["predict", "classify", "regress"])
def test_the_body_is_read_before_the_model_is_looked_up(rest: Rest, verb: str) -> None:
    assert refusal(rest.post(f"/v1/models/ghost:{verb}", "[]")) == (400, "JSON Value: [] Is not object")
