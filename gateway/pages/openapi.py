"""The OpenAPI 3.1 document at /openapi.json: made from the structs, the tree of errors and the settings."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from gateway.api import schemas
from gateway.api.problems import CONTENT_TYPE, title
from gateway.errors import GatewayError
from gateway.pages.operations import EVERYWHERE, JSON, KEYED, OPERATIONS, Answer, Operation
from gateway.settings.settings import Settings
from gateway.upstream import deadline

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_TEMPLATE = schemas.REF + "{name}"
# Structs that stand where `Any` does.
_UNSEEN = {schemas.Turn, schemas.Result, schemas.ItemError, schemas.Problem}
_PROBLEM = {"$ref": f"{schemas.REF}Problem"}
_INTRODUCTION = """\
Which intent does an utterance carry? A model server answers that; this gateway brings it to HTTP, with limits, \
readable errors and timing.

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


def openapi_document(settings: Settings) -> dict[str, Any]:
    """The document, for a gateway with these limits."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, settings)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Intent gateway", "version": "1", "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in OPERATIONS)],
        "paths": paths,
        "components": {
            "schemas": _schemas(settings),
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


def _operation(operation: Operation, settings: Settings) -> dict[str, Any]:
    is_locked = bool(settings.keys_file) and not operation.is_open
    kinds = (*EVERYWHERE, *(KEYED if is_locked else ()), *operation.errors)
    headers = ["X-Request-Id", "traceparent", *([deadline.HEADER] if operation.is_timed else [])]
    parameters = [
        *({"name": name, **_in("path", str, operation.path_text)} for name in _PLACEHOLDER.findall(operation.path)),
        *({"name": name, **_in("query", kind, text)} for name, (kind, text) in operation.queries.items()),
        *({"$ref": f"#/components/parameters/{name}"} for name in headers),
    ]
    document: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.text,
        "parameters": parameters,
        "responses": _responses(operation.answers, kinds),
    }
    if operation.body:
        document["requestBody"] = {
            "required": True,
            "content": {JSON: _content([operation.body], operation.body_examples)},
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


def _schemas(settings: Settings) -> dict[str, dict[str, Any]]:
    """The schemas of all structs, with what only the settings know and what a struct cannot say."""
    kinds = {kind for each in OPERATIONS for answer in each.answers.values() for kind in answer.kinds}
    kinds |= {each.body for each in OPERATIONS if each.body} | _UNSEEN
    _, found = msgspec.json.schema_components(kinds, ref_template=_TEMPLATE)
    classify = found["ClassifyBody"]
    classify["oneOf"] = [{"required": ["text"]}, {"required": ["texts"]}]
    classify["not"] = {"required": ["version", "label"]}
    classify["dependentRequired"] = {"role": ["text"], "previous": ["text"]}
    fields = classify["properties"]
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
