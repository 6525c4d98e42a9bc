"""The OpenAPI 3.1 document at /openapi.json: made from the structs, the tree of errors and the settings."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from gateway.api import schemas
from gateway.api.problems import CONTENT_TYPE, title
from gateway.api.route import JSON, Answer, Route
from gateway.errors import (
    ExpectationFailedError,
    GatewayError,
    InvalidHttpError,
    KeyRequiredError,
    RateLimitError,
)
from gateway.settings.settings import Settings
from gateway.upstream import deadline

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
# What any request may be answered with, and what is added where an API key is wanted.
_EVERYWHERE = (InvalidHttpError, ExpectationFailedError, GatewayError)
_KEYED = (KeyRequiredError, RateLimitError)
_TEMPLATE = schemas.REF + "{name}"
# Structs that stand where `Any` does.
_UNSEEN = {schemas.Turn, schemas.Result, schemas.ItemError, schemas.Problem}
_PROBLEM = {"$ref": f"{schemas.REF}Problem"}
_INTRODUCTION = """\
The gateway says which intent an utterance carries. It asks a model server, and adds limits, readable errors and \
timing.

Every refusal and every failure is a problem document (RFC 9457): programs compare its `code`, people read its \
`detail`."""


def documented_errors() -> Iterator[type[GatewayError]]:
    """Every kind of error that a client can meet: those of the tree with a code of their own, in its order."""
    yield GatewayError
    waiting = list(GatewayError.__subclasses__())
    while waiting:
        kind = waiting.pop(0)
        if "code" in vars(kind):
            yield kind
        waiting[:0] = kind.__subclasses__()


def openapi_document(settings: Settings, routes: Sequence[Route]) -> dict[str, Any]:
    """The document, for a gateway with these limits and routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, settings)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Intent gateway", "version": "1", "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": _schemas(settings, routes),
            "examples": {kind.code: _problem_example(kind) for kind in documented_errors()},
            "headers": {
                "X-Request-Id": {"description": "The request's id.", "schema": {"type": "string"}},
                "Retry-After": {
                    "description": "Seconds until another try may succeed.",
                    "schema": {"type": "integer", "minimum": 1},
                },
            },
            "parameters": _parameters(settings),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _operation(route: Route, settings: Settings) -> dict[str, Any]:
    is_locked = bool(settings.keys_file) and not route.is_open
    kinds = (*_EVERYWHERE, *(_KEYED if is_locked else ()), *route.errors)
    headers = ["X-Request-Id", "traceparent", *([deadline.HEADER] if route.is_timed else [])]
    parameters = [
        *({"name": name, **_in("path", str, route.path_text)} for name in _PLACEHOLDER.findall(route.path)),
        *({"name": name, **_in("query", kind, text)} for name, (kind, text) in route.queries.items()),
        *({"$ref": f"#/components/parameters/{name}"} for name in headers),
    ]
    document: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": route.text,
        "parameters": parameters,
        "responses": _responses(route.answers, kinds),
    }
    if route.body:
        document["requestBody"] = {
            "required": True,
            "content": {JSON: _content([route.body], route.body_examples)},
        }
    if is_locked:
        document["security"] = [{"bearer": []}, {"key": []}]
    return document


def _in(place: str, kind: Any, text: str) -> dict[str, Any]:
    return {"in": place, "required": place == "path", "description": text, "schema": _schema(kind)}


def _responses(answers: Mapping[int, Answer], kinds: Iterable[type[GatewayError]]) -> dict[str, Any]:
    responses: dict[str, dict[str, Any]] = {}
    for status, answer in answers.items():
        responses[str(status)] = {"description": answer.text, "headers": _headers(status), "content": {}}
        if answer.media_type:
            responses[str(status)]["content"][answer.media_type] = _content(answer.kinds, answer.examples)
    for kind in sorted(kinds, key=lambda kind: kind.status):
        response = responses.setdefault(
            str(kind.status), {"description": "", "headers": _headers(kind.status), "content": {}}
        )
        response["description"] = f"{response['description']}\n\n`{kind.code}`: {_meaning(kind)}".strip()
        content = response["content"].setdefault(CONTENT_TYPE, {"schema": _PROBLEM, "examples": {}})
        content["examples"][kind.code] = {"$ref": f"#/components/examples/{kind.code}"}
    return dict(sorted(responses.items()))


def _headers(status: int) -> dict[str, Any]:
    names = ["X-Request-Id", *(["Retry-After"] if status in (429, 503) else [])]
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _content(kinds: Sequence[Any], examples: Mapping[str, msgspec.Struct]) -> dict[str, Any]:
    found = [_schema(kind) for kind in kinds]
    content: dict[str, Any] = {"schema": found[0] if len(found) == 1 else {"oneOf": found}} if found else {}
    if examples:
        content["examples"] = {name: {"value": msgspec.to_builtins(value)} for name, value in examples.items()}
    return content


def _schema(kind: Any) -> dict[str, Any]:
    return msgspec.json.schema_components([kind], ref_template=_TEMPLATE)[0][0]


def _schemas(settings: Settings, routes: Sequence[Route]) -> dict[str, dict[str, Any]]:
    """The schemas of all structs, with what only the settings know and what a struct cannot say."""
    kinds = {kind for each in routes for answer in each.answers.values() for kind in answer.kinds}
    kinds |= {each.body for each in routes if each.body} | _UNSEEN
    _, found = msgspec.json.schema_components(kinds, ref_template=_TEMPLATE)
    fields = found["ClassifyBody"]["properties"]
    fields["texts"]["maxItems"] = settings.max_texts
    bounded = [fields["texts"]["items"]["oneOf"][0]]
    bounded += [found[name]["properties"]["text"] for name in ("PredictBody", "ClassifyBody", "Turn")]
    bounded += [found[name]["properties"]["previous"] for name in ("ClassifyBody", "Turn")]
    for text in bounded:
        text["maxLength"] = settings.max_text_characters
    fields["top_k"]["default"] = settings.top_k
    fields["threshold"]["default"] = settings.threshold
    for name in ("Problem", "ItemProblem"):
        found[name]["properties"]["code"]["enum"] = [kind.code for kind in documented_errors()]
    return dict(sorted(found.items()))


def _parameters(settings: Settings) -> dict[str, dict[str, Any]]:
    timeout = {"type": "integer", "minimum": 1, "default": round(settings.deadline_seconds * 1000)}
    trace = {"type": "string", "examples": ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]}
    longest = round(settings.max_deadline_seconds * 1000)
    texts = {
        deadline.HEADER: (
            f"Milliseconds until the answer must be there; more than {longest} count as {longest}.",
            timeout,
        ),
        "X-Request-Id": (
            "The request's id: 1 to 128 letters, digits, dots, hyphens and underscores; else the gateway makes one.",
            {"type": "string"},
        ),
        "traceparent": ("W3C trace context; it goes on to the model server.", trace),
    }
    return {
        name: {"name": name, "in": "header", "description": text, "schema": schema}
        for name, (text, schema) in texts.items()
    }


def _problem_example(kind: type[GatewayError]) -> dict[str, Any]:
    meaning = _meaning(kind)
    document = schemas.Problem(f"/docs#{kind.code}", title(kind.code), kind.status, meaning, kind.code)
    return {"summary": meaning, "description": kind.remedy, "value": msgspec.to_builtins(document)}


def _meaning(kind: type[GatewayError]) -> str:
    return " ".join((kind.__doc__ or "").split())
