"""JSON as the stock server writes it: RapidJSON's pretty writer, four blanks, arrays on one line where asked."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from model_server.rest.json_reader import members

INDENT = "    "
# A value quoted in a message stops at the first token that reaches this many bytes.
QUOTED_LENGTH = 256
# The token for a number without bounds: here the writer of RapidJSON gives up.
_END = ""

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

# Digits that every value survives, by the number of bytes of its type.
_ALL_DIGITS = {4: "%.9g", 8: "%.17g"}
# Between these, RapidJSON writes a number without an exponent.
_SMALLEST_PLAIN, _LARGEST_PLAIN = 1e-6, 1e21


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
    """The body of the answer to a failed request."""
    return json_object(["error"], [quote(message)], 0)


def decimals(array: np.ndarray) -> list[str]:
    """The elements of a float32 or float64 array, in order: six significant digits where they give the value back,
    else all; always with a point or an exponent; `NaN`, `Infinity`."""
    flat = array.ravel()
    values = flat.tolist()
    texts = ("%g " * len(values) % tuple(values)).split()
    with np.errstate(over="ignore"):
        read_back = np.array([float(text) for text in texts]).astype(flat.dtype)
    for position in np.flatnonzero(read_back != flat).tolist():
        texts[position] = _ALL_DIGITS[flat.itemsize] % values[position]
    texts = [text if "." in text or "e" in text else text + ".0" for text in texts]
    for position in np.flatnonzero(~np.isfinite(flat)).tolist():
        texts[position] = json.dumps(values[position])
    return texts


def decimal(value: float) -> str:
    """One number, as a float32 where it is in the range of that type."""
    single = float(np.finfo(np.float32).max)
    return decimals(np.array([value], np.float32 if abs(value) <= single else np.float64))[0]


def shortest(value: float) -> str:
    """RapidJSON's own notation of a finite double: the fewest digits that give it back."""
    if not value or _SMALLEST_PLAIN <= abs(value) < _LARGEST_PLAIN:
        return np.format_float_positional(value, trim="0")
    return np.format_float_scientific(value, trim="-", exp_digits=1).replace("+", "")


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
    text, length = [], 0
    for token in _tokens(value, 0):
        text.append(token)
        length += len(token.encode(errors="surrogateescape"))
        if length >= QUOTED_LENGTH or token == _END:
            break
    return "".join(text)


def _tokens(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        yield "{"
        start = "\n" + INDENT * (depth + 1)
        for name, member in members(value):
            yield f"{start}{quote(name)}: "
            yield from _tokens(member, depth + 1)
            start = ",\n" + INDENT * (depth + 1)
        yield "\n" + INDENT * depth + "}" if value else "}"
    elif isinstance(value, list):
        yield "["
        for position, item in enumerate(value):
            if position:
                yield ", "
            yield from _tokens(item, depth + 1)
        yield "]"
    elif isinstance(value, str):
        yield quote(value)
    elif value is None or isinstance(value, bool) or not is_double(value):
        yield json.dumps(value)
    elif math.isfinite(as_double(value)):
        yield shortest(as_double(value))
    else:
        yield _END
