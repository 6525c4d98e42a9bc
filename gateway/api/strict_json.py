"""Strict JSON: msgspec decodes it; duplicate names and deep nesting, which msgspec accepts, are refused here."""

import json
import re
from functools import cache
from typing import Any, TypeVar

import msgspec

from gateway.errors import InvalidJsonError, InvalidRequestError

# A refusal may quote the request, but not give all of it back.
_MAX_QUOTE = 200
# How msgspec names the place of a mistake: at the end, or as the field itself.
_PLACE = re.compile(r" - at `\$([^`]*)`\Z")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_FIELD = re.compile(r"Object (?:contains unknown|missing required) field `(.*)`\Z", re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

# Objects as tuples of pairs, which keep a name that comes twice; numbers are of no interest.
_PAIRS = json.JSONDecoder(object_pairs_hook=tuple, parse_int=str, parse_float=str)
_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_Body = TypeVar("_Body")


def decode(decoder: "msgspec.json.Decoder[_Body]", body: bytes, max_depth: int, example: str) -> _Body:
    """The body as the decoder's struct. A name that comes twice is let pass: see `refuse_duplicates`.

    `example` is what the refusal tells the client to send.

    Raises:
        InvalidJsonError: not JSON, not UTF-8, or nested deeper than `max_depth`.
        InvalidRequestError: another shape.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        # msgspec stops at the first mistake: the rest may be no JSON at all.
        refuse_depth(body, max_depth, example)
        raise _misshapen(error, "", example) from None
    except _NO_JSON as error:
        raise _no_json(error, body, max_depth, example) from None


def convert(value: Any, shape: type[_Body], pointer: str, example: str) -> _Body:
    """The decoded value as this struct. `pointer`: where it stands in the body.

    Raises:
        InvalidRequestError: another shape.
    """
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise _misshapen(error, pointer, example) from None


def refuse_depth(body: bytes, max_depth: int, example: str) -> None:
    """For bodies that do not fit a struct, or have a place for anything: what fits without is never deep.

    Raises:
        InvalidJsonError: not JSON, not UTF-8, or nested deeper than `max_depth`.
    """
    try:
        _depth_decoder(max_depth).decode(body)
    except msgspec.ValidationError as error:
        if "out of range" not in str(error):
            raise _too_deep(max_depth) from None
    except _NO_JSON as error:
        raise _no_json(error, body, max_depth, example) from None


def refuse_duplicates(body: bytes) -> None:
    """For a body that `decode` has accepted: msgspec takes the last of several fields with one name.

    Raises:
        InvalidJsonError: the object, or an object in one of its arrays, names a field more than once.
    """
    pairs = _PAIRS.decode(body.decode())
    _refuse_twice(pairs, "")
    for name, value in pairs:
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, tuple):
                _refuse_twice(item, f"/{name}/{index}")


def _refuse_twice(pairs: tuple[tuple[str, Any], ...], pointer: str) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            quoted = name[:_MAX_QUOTE]
            raise InvalidJsonError(
                f"the body names the field `{quoted}` more than once; send it once",
                pointer=f"{pointer}/{_escaped(quoted)}",
            )
        seen.add(name)


def _misshapen(error: msgspec.ValidationError, pointer: str, example: str) -> InvalidRequestError:
    words = str(error)
    place = f"{pointer}{_pointer(words) or ''}"
    reason = _PLACE.sub("", words)[:_MAX_QUOTE]
    return InvalidRequestError(f"{reason}{f' at {place}' if place else ''}; send {example}", pointer=place or None)


def _no_json(error: Exception, body: bytes, max_depth: int, example: str) -> InvalidJsonError:
    if isinstance(error, RecursionError):
        return _too_deep(max_depth)
    if isinstance(error, UnicodeDecodeError):
        return InvalidJsonError(f"the body is not UTF-8; send {example} encoded as UTF-8")
    hint = "; a half of a surrogate pair is no character" if _SURROGATE.search(body) else ""
    return InvalidJsonError(f"the body is not valid JSON: {error}{hint}; send {example}")


def _pointer(words: str) -> str | None:
    if place := _PLACE.search(words):
        return "".join(f"/{name or index}" for name, index in _STEP.findall(place[1])) or None
    field = _FIELD.match(words)
    if field is None or len(field[1]) > _MAX_QUOTE:
        return None
    return "/" + _escaped(field[1])


def _escaped(name: str) -> str:
    """As a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


@cache
def _depth_decoder(depth: int) -> "msgspec.json.Decoder[Any]":
    # A type that ends at this depth lets msgspec find out at the speed of its own decoding.
    scalar = str | int | float | bool | None
    nested: Any = scalar
    for _ in range(depth):
        nested = scalar | list[nested] | dict[str, nested]
    return msgspec.json.Decoder(nested)


def _too_deep(max_depth: int) -> InvalidJsonError:
    return InvalidJsonError(f"the body is nested deeper than {max_depth} levels; send a flat object")
