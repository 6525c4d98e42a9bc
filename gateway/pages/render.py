"""The OpenAPI document as a page for people: one file without scripts, whose style is inside."""

import html
import json
import re
import shlex
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "static" / "base.css").read_text() + (_FOLDER / "docs.css").read_text()
STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
"""For the content security policy: no other style is applied."""

ADDRESS = "http://address-of-the-gateway"
"""What the commands of the page call; whoever sends the page puts the real address in its place."""

_CODE = re.compile("`([^`]+)`")
_SCHEMA = "#/components/schemas/"

_Document = Mapping[str, Any]


def render(document: _Document) -> str:
    """The page. Each operation is at `#operation-<id>`, each schema at `#schema-<name>`, each error at `#<code>`."""
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    tags = [tag["name"] for tag in document["tags"]]
    schemas = document["components"]["schemas"]
    errors = document["components"]["examples"]
    by_tag = {tag: [each for each in operations if tag in each[2]["tags"]] for tag in tags}
    sections = {
        **{tag: "".join(_operation(*each, document) for each in group) for tag, group in by_tag.items()},
        "Errors": "".join(_error(code, error) for code, error in errors.items()),
        "Schemas": "".join(_named_schema(name, schema) for name, schema in schemas.items()),
    }
    links = {
        **{
            tag: [(f"operation-{each['operationId']}", f"{method.upper()} {path}") for method, path, each in group]
            for tag, group in by_tag.items()
        },
        "Errors": [(code, code) for code in errors],
        "Schemas": [(f"schema-{name}", name) for name in schemas],
    }
    title = html.escape(document["info"]["title"])
    introduction = "".join(f"<p>{_text(part)}</p>" for part in document["info"]["description"].split("\n\n"))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}: API</title>
<style>{_STYLE}</style>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<nav aria-label="Contents">{"".join(_links(name, group) for name, group in links.items())}</nav>
<main id="content">
<h1>{title}</h1>
{introduction}
<p>For programs: <a href="openapi.json">the same as OpenAPI {html.escape(document["openapi"])}</a>.
To try it: <a href="./">the page</a>.</p>
{"".join(f"<section><h2>{html.escape(name)}</h2>{content}</section>" for name, content in sections.items())}
</main>
</body>
</html>
"""


def _links(name: str, group: Iterable[tuple[str, str]]) -> str:
    items = "".join(f'<li><a href="#{anchor}">{html.escape(text)}</a></li>' for anchor, text in group)
    return f"<h2>{html.escape(name)}</h2><ul>{items}</ul>"


def _operation(method: str, path: str, operation: _Document, document: _Document) -> str:
    anchor = f"operation-{operation['operationId']}"
    heading = f'<span class="method">{method.upper()}</span> <code>{html.escape(path)}</code>'
    parts = [_heading(anchor, heading), f"<p><strong>{_text(operation['summary'])}.</strong>"]
    parts.append(f" {_text(operation['description'])}</p>")
    if "security" in operation:
        schemes = document["components"]["securitySchemes"]
        parts.append(f"<p>Wants an API key: {' or '.join(map(_security, schemes.values()))}.</p>")
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        body = document["components"]["schemas"][content["schema"]["$ref"].removeprefix(_SCHEMA)]
        parts.append(f"<h4>Body</h4><p>{_type(content['schema'])}: {_text(body['description'])}</p>{_fields(body)}")
        parts.extend(
            _example(name, _curl(method, path, example["value"])) for name, example in content["examples"].items()
        )
    parameters = [_resolved(each, document) for each in operation["parameters"]]
    parts.append("<h4>Parameters</h4>")
    parts.append(
        _table(
            ("Name", "In", "Type", "Meaning"),
            (
                (f"<code>{each['name']}</code>", each["in"], _type(each["schema"]), _text(each["description"]))
                for each in parameters
            ),
        )
    )
    answers = "".join(_answer(status, answer) for status, answer in operation["responses"].items())
    parts.append(f"<h4>Answers</h4><dl>{answers}</dl>")
    return f'<article class="card" id="{anchor}">{"".join(parts)}</article>'


def _answer(status: str, answer: _Document) -> str:
    kind = "status" if status < "400" else "status failed"
    parts = [f'<dt class="{kind}">{status}</dt><dd>']
    for line in answer["description"].split("\n\n"):
        code = re.match("`([a-z_]+)`: ", line)
        shown = f'<a href="#{code[1]}"><code>{code[1]}</code></a>: {_text(line[code.end() :])}' if code else _text(line)
        parts.append(f"<p>{shown}</p>")
    for media_type, content in answer["content"].items():
        if media_type != "application/problem+json":
            parts.append(
                f'<p class="quiet"><code>{html.escape(media_type)}</code> {_type(content.get("schema", {}))}</p>'
            )
            examples = content.get("examples", {})
            parts.extend(_example(name, _json(each["value"])) for name, each in examples.items())
    return f"{''.join(parts)}</dd>"


def _error(code: str, error: _Document) -> str:
    problem = error["value"]
    return (
        f'<article class="card" id="{code}">{_heading(code, f"<code>{code}</code>")}'
        f'<p><span class="status failed">{problem["status"]}</span> {html.escape(problem["title"])}</p>'
        f"<p>{_text(error['summary'])}</p><p><strong>What to do:</strong> {_text(error['description'])}</p>"
        f"{_example('as it is sent', _json(problem))}</article>"
    )


def _named_schema(name: str, schema: _Document) -> str:
    anchor = f"schema-{name}"
    heading = _heading(anchor, html.escape(name))
    return (
        f'<article class="card" id="{anchor}">{heading}<p>{_text(schema["description"])}</p>{_fields(schema)}</article>'
    )


def _fields(schema: _Document) -> str:
    wanted = schema.get("required", [])
    rows = (
        (
            f"<code>{html.escape(name)}</code>{'' if name in wanted else ' <span class=quiet>optional</span>'}",
            _type(field),
            _text(field.get("description", "")),
        )
        for name, field in schema["properties"].items()
    )
    return _table(("Field", "Type", "Meaning"), rows)


def _heading(anchor: str, content: str) -> str:
    return f'<h3><a href="#{anchor}">{content}</a></h3>'


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = "".join(f'<th scope="col">{title}</th>' for title in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'


def _example(name: str, content: str) -> str:
    # The focus lets a keyboard scroll what is too wide.
    shown = f"<pre tabindex=0>{html.escape(content)}</pre>"
    return f"<details><summary>Example: {html.escape(name)}</summary>{shown}</details>"


def _curl(method: str, path: str, body: Any) -> str:
    data = shlex.quote(json.dumps(body, ensure_ascii=False))
    return f"curl -X {method.upper()} {ADDRESS}{path} -H 'Content-Type: application/json' \\\n  -d {data}"


def _security(scheme: _Document) -> str:
    return (
        f"<code>{scheme['name']}: KEY</code>"
        if scheme["type"] == "apiKey"
        else "<code>Authorization: Bearer KEY</code>"
    )


def _type(schema: _Document) -> str:
    """The schema in a few words, with links to the named ones."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_SCHEMA)
        return f'<a href="#schema-{name}">{name}</a>'
    for key in ("oneOf", "anyOf"):
        if key in schema and "properties" not in schema:
            return " or ".join(_type(each) for each in schema[key])
    words = f"array of {_type(schema['items'])}" if "items" in schema else html.escape(str(schema.get("type", "")))
    if "enum" in schema and len(schema["enum"]) < 8:
        words += ": " + ", ".join(f"<code>{html.escape(str(each))}</code>" for each in schema["enum"])
    limits = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "at least"),
            ("maximum", "at most"),
            ("minItems", "items at least"),
            ("maxItems", "items at most"),
            ("maxLength", "characters at most"),
            ("default", "default"),
        )
        if key in schema
    ]
    return f"{words}{''.join(f'<br><span class=quiet>{each}</span>' for each in limits)}"


def _resolved(parameter: _Document, document: _Document) -> _Document:
    if "$ref" not in parameter:
        return parameter
    found: _Document = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
    return found


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _text(words: str) -> str:
    return _CODE.sub(r"<code>\1</code>", html.escape(words, quote=False))
