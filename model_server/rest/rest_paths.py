"""Parses the path of a REST request. The query string is part of the path, as in the stock server."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from tensorflow_serving.apis import model_pb2

from model_server.errors import invalid_argument

_MODEL = r"/v1/models/([^/:]+)"
_CHOICE = r"(?:/versions/([0-9]+)|/labels/([^/:]+))?"
_FLAGS = re.ASCII | re.IGNORECASE
_POST = re.compile(f"{_MODEL}{_CHOICE}:(classify|regress|predict)", _FLAGS)
# A name is preferred to none: `/v1/models/metadata` is the status of a model called so.
_GET = re.compile(f"(?:{_MODEL}|/v1/models){_CHOICE}(?:/(metadata))?", _FLAGS)
_MAX_VERSION = 2**63 - 1
# A proxy's client writes scheme and host in front of the path.
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
# What RFC 3986 lets nobody write unescaped, and a `%` that escapes nothing.
_UNESCAPED = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:@/?#%-]|%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Target:
    """A path that was understood.

    Attributes:
        spec: the model, and its version or label; without a name if the path has none.
        action: `classify`, `regress`, `predict`, `metadata`, or empty for the status; as written, in any case.
    """

    spec: model_pb2.ModelSpec
    action: str


def local(uri: str) -> str | None:
    """Path, query and fragment of a request's URI; None if it holds a character that has to be escaped."""
    origin = _ORIGIN.match(uri)
    return None if _UNESCAPED.search(uri) else uri[origin.end() if origin else 0 :]


def read(method: str, path: str) -> Target:
    """The target of a GET or POST."""
    pattern = {"GET": _GET, "POST": _POST}.get(method)
    found = pattern.fullmatch(path) if pattern else None
    if found is None:
        raise invalid_argument(f"Malformed request: {method} {path}")
    name, version, label, action = found.groups(default="")
    spec = model_pb2.ModelSpec(name=unquote(name))
    if version:
        digits = version.lstrip("0") or "0"
        if len(digits) > len(str(_MAX_VERSION)) or int(digits) > _MAX_VERSION:
            raise invalid_argument(f"Failed to convert version: {version} to numeric.")
        spec.version.value = int(digits)
    elif label:
        spec.version_label = unquote(label)
    return Target(spec, action)
