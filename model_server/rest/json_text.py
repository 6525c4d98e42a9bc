"""JSON as the stock server writes it: RapidJSON's pretty writer, four blanks, arrays on one line where asked."""

import math
import re
from contextlib import suppress
from typing import Any

from model_server.rest.json_numbers import decimal, shortest
from model_server.rest.json_reader import members

INDENT = "    "
# A value quoted in a message stops at the first token that reaches this many bytes.
QUOTED_LENGTH = 256

_SPECIAL = re.compile(r'[\x00-\x1f"\\]')
_ESCAPES = {chr(number): f"\\u{number:04X}" for number in range(0x20)} | {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


def quote(text: str) -> str:
    """The text as a JSON string; letters beyond ASCII stay as they are."""
    return '"' + _SPECIAL.sub(lambda found: _ESCAPES[found[0]], text) + '"'


def array(items: list[str], depth: int, on_one_line: bool) -> str:
    """An array of values already written; `depth` counts the containers around it."""
    if not items or on_one_line:
        return "[" + ", ".join(items) + "]"
    return _block("[", items, depth, "]")


def json_object(names: list[str], values: list[str], depth: int) -> str:
    """An object of values already written."""
    if not names:
        return "{}"
    return _block("{", [f"{quote(name)}: {value}" for name, value in zip(names, values, strict=True)], depth, "}")


def _block(opening: str, items: list[str], depth: int, closing: str) -> str:
    start = "\n" + INDENT * (depth + 1)
    return opening + start + ("," + start).join(items) + "\n" + INDENT * depth + closing


def error_page(message: str) -> str:
    """What every failed request answers."""
    return json_object(["error"], [quote(message)], 0)


def is_double(value: Any) -> bool:
    """Whether RapidJSON holds this number as a double: it has a point or exponent, or is beyond 64 bits."""
    return type(value) is float or (type(value) is int and not -(2**63) <= value < 2**64)


def as_double(value: int | float) -> float:
    """The number as a double, infinite beyond its range."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def type_name(value: Any) -> str:
    """The value's type as RapidJSON calls it."""
    if value is None:
        return "Null"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return "Number"
    return "String" if isinstance(value, str) else "Array" if isinstance(value, list) else "Object"


def value_text(value: Any) -> str:
    """The value as a message quotes it, cut after `QUOTED_LENGTH`."""
    if is_double(value):
        return decimal(as_double(value))
    parts = _Parts()
    with suppress(_FullError):
        _write(value, 0, parts)
    return "".join(parts.texts)


class _FullError(Exception):
    """Enough was written."""


class _Parts:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self._length = 0

    def add(self, text: str) -> None:
        self.texts.append(text)
        self._length += len(text.encode(errors="surrogateescape"))
        if self._length >= QUOTED_LENGTH:
            raise _FullError


def _write(value: Any, depth: int, parts: _Parts) -> None:
    if isinstance(value, dict):
        parts.add("{")
        start = "\n" + INDENT * (depth + 1)
        for name, member in members(value):
            parts.add(f"{start}{quote(name)}: ")
            _write(member, depth + 1, parts)
            start = ",\n" + INDENT * (depth + 1)
        parts.add("\n" + INDENT * depth + "}" if value else "}")
    elif isinstance(value, list):
        parts.add("[")
        for position, item in enumerate(value):
            parts.add(", " if position else "")
            _write(item, depth + 1, parts)
        parts.add("]")
    else:
        parts.add(_scalar_text(value))


def _scalar_text(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not is_double(value):
        return str(value)
    if not math.isfinite(as_double(value)):
        # Here the writer of RapidJSON gives up.
        raise _FullError
    return shortest(as_double(value))
