"""Reads the JSON of a request: Python's own parser where both agree, `json_reader` for everything else.

Objects are dicts (`Members` if names repeat), strings may hold surrogate escapes for bytes that are not UTF-8.
"""

import json
import re
from typing import Any

from model_server.errors import invalid_argument
from model_server.rest import json_reader
from model_server.rest.json_writer import value_text

# Where the two parsers differ though Python's finds no fault: half surrogate pairs, and numbers beyond a double.
_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_BIG_NUMBER = re.compile(rb"[eE]\+?[0-9]{3}|[0-9]{309}")
_BLANKS = " \t\r\n"


class _RepeatedNameError(Exception):
    """An object names a member twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RepeatedNameError
    return members


_scan = json.JSONDecoder(object_pairs_hook=_object).scan_once  # type: ignore[attr-defined]


def parse_object(body: bytes) -> dict[str, Any]:
    """The object that the body starts with; what follows it is not looked at."""
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    quick = _parse_quickly(body)
    if quick is not None:
        return quick
    value = json_reader.parse(body)
    if not isinstance(value, dict):
        raise invalid_argument(f"JSON Value: {value_text(value)} Is not object")
    return value


def _parse_quickly(body: bytes) -> dict[str, Any] | None:
    if _BIG_NUMBER.search(body) or (b"\\u" in body and _HALF.search(_PAIR.sub(b"", body))):
        return None
    try:
        text = body.decode()
        value, _ = _scan(text, len(text) - len(text.lstrip(_BLANKS)))
    except (ValueError, StopIteration, RecursionError, _RepeatedNameError):
        return None
    return value if type(value) is dict else None
