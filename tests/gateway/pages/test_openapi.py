"""The OpenAPI document against the code, and the gateway against the document."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import jsonschema_rs
import pytest
import schemathesis
from schemathesis import Case, checks

from gateway import errors
from gateway.app import create_app
from gateway.pages.openapi import openapi_document
from gateway.routes import ROUTES
from gateway.settings.settings import Settings
from tests.gateway.conftest import PATIENT
from tests.gateway.running import Gateway

# Those of `running`.
LIMITS = Settings(max_body_bytes=2000, max_text_characters=1000, **PATIENT)
DOCUMENT = openapi_document(LIMITS, ROUTES)
API = schemathesis.openapi.from_dict(DOCUMENT)
METHODS = {"GET", "POST"}
"""HEAD goes with GET, and OPTIONS with everything."""

EXCLUDED_CHECKS = (
    # Unknown headers are no mistake, and a bad item of `texts` is answered among the others, with 200.
    checks.negative_data_rejection,
    # The schema does not say which fields of a body or of a query exclude each other, or how long a body gets: such
    # requests get a documented 400 or 413.
    checks.positive_data_acceptance,
    # 503 and 504 are documented, and right if X-Request-Timeout leaves a millisecond; 500 is looked for below.
    checks.not_a_server_error,
)


@API.parametrize()
@hypothesis.settings(max_examples=40, derandomize=True, deadline=None, database=None)
def test_the_gateway_keeps_to_the_document(case: Case, running: Gateway) -> None:
    response = case.call_and_validate(base_url=f"http://127.0.0.1:{running.port}", excluded_checks=EXCLUDED_CHECKS)
    assert response.status_code not in (500, 502), response.content


def test_the_document_is_openapi_3_1(running: Gateway) -> None:
    API.validate()
    assert DOCUMENT["openapi"].startswith("3.1.")
    reply = running.get("/openapi.json")
    assert reply.headers["Content-Type"].startswith("application/json")
    assert reply.json == DOCUMENT


def test_a_copy_that_is_still_the_newest_is_not_sent_again(running: Gateway) -> None:
    first = running.get("/openapi.json")
    again = running.send("GET", "/openapi.json", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_every_route_is_documented_and_nothing_else() -> None:
    served = {
        (route.method, route.resource.canonical)
        for route in create_app(Settings()).router.routes()
        if route.resource and route.method in METHODS
    }
    assert served == {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}


def _kinds(kind: type[errors.GatewayError]) -> Iterator[type[errors.GatewayError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)


# The first and the groups are only raised by mistake: that is internal_error.
GROUPS = (errors.SettingsError, errors.RequestError, errors.BackendError)
KINDS = [kind for kind in _kinds(errors.GatewayError) if kind not in GROUPS and kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_error_is_documented(kind: type[errors.GatewayError]) -> None:
    example = DOCUMENT["components"]["examples"][kind.code]
    assert example["value"]["status"] == kind.status
    assert example["value"]["type"] == f"/docs#{kind.code}"
    assert example["description"] == kind.remedy
    assert kind.code in DOCUMENT["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]


def test_every_error_has_a_code_a_meaning_and_a_remedy_of_its_own() -> None:
    assert len({kind.code for kind in KINDS}) == len({kind.__doc__ for kind in KINDS}) == len(KINDS)
    assert all("remedy" in vars(kind) for kind in KINDS)
    assert set(DOCUMENT["components"]["examples"]) == {kind.code for kind in KINDS}


def test_every_error_is_an_answer_of_an_operation(tmp_path: Path) -> None:
    told = set()
    for _, operation in _operations(_with_keys(tmp_path)):
        for status, answer in operation["responses"].items():
            codes = answer["content"].get("application/problem+json", {"examples": {}})["examples"]
            assert all(DOCUMENT["components"]["examples"][code]["value"]["status"] == int(status) for code in codes)
            told.update(codes)
    # One has no operation, the other is the answer to one that does not exist.
    assert told | {"not_found", "method_not_allowed"} == {kind.code for kind in KINDS}


def test_keys_are_wanted_where_the_document_says_so(tmp_path: Path) -> None:
    assert not any("security" in operation for _, operation in _operations(DOCUMENT))
    wanting = {"/v1/predict", "/v1/intents", "/v1/models", "/predict"}
    for path, operation in _operations(_with_keys(tmp_path)):
        assert ("security" in operation) == (path in wanting)
        assert ({"401", "429"} <= operation["responses"].keys()) == (path in wanting)


def _with_keys(folder: Path) -> dict[str, Any]:
    return openapi_document(Settings(keys_file=str(folder / "keys")), ROUTES)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((path, each) for path, methods in document["paths"].items() for each in methods.values())


def _examples() -> Iterator[tuple[Any, Any]]:
    """Each content's schema with each of its examples."""
    for _, operation in _operations(DOCUMENT):
        contents = [operation.get("requestBody", {"content": {}}), *operation["responses"].values()]
        for content in (each for holder in contents for each in holder["content"].values()):
            for example in content.get("examples", {}).values():
                name = example.get("$ref", "").rpartition("/")[2]
                value = DOCUMENT["components"]["examples"][name]["value"] if name else example["value"]
                yield content["schema"], value


def test_the_examples_keep_to_the_schemas() -> None:
    examples = list(_examples())
    assert examples
    for schema, value in examples:
        jsonschema_rs.validate(schema | {"components": DOCUMENT["components"]}, value)


def test_the_examples_are_answered_like_the_examples(running: Gateway) -> None:
    body = DOCUMENT["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]
    for name, example in body["examples"].items():
        sent = json.dumps(example["value"])
        status = running.send("POST", "/v1/predict", sent, Content_Type="application/json").status
        # The tiny model has no second version.
        assert status == (404 if "version" in name else 200)


def test_the_limits_are_those_of_the_settings() -> None:
    settings = Settings(max_texts=3, max_text_characters=17, top_k=2, threshold=0.4, deadline_seconds=1.5)
    document = openapi_document(settings, ROUTES)
    fields = document["components"]["schemas"]["ClassifyBody"]["properties"]
    turn = document["components"]["schemas"]["Turn"]["properties"]
    texts = [fields["text"], fields["previous"], fields["texts"]["items"]["oneOf"][0], turn["text"], turn["previous"]]
    assert (fields["texts"]["maxItems"], {text["maxLength"] for text in texts}) == (3, {17})
    assert (fields["top_k"]["default"], fields["threshold"]["default"]) == (2, 0.4)
    assert document["components"]["schemas"]["PredictBody"]["properties"]["text"]["maxLength"] == 17
    assert document["components"]["parameters"]["X-Request-Timeout"]["schema"]["default"] == 1500
