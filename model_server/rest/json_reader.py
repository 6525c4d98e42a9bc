"""A strict JSON reader that fails with RapidJSON 1.1's texts and byte offsets, as the stock server's parser does.

`NaN`, `Inf` and `Infinity` are numbers, text after the document is not looked at, a NUL byte ends the text, bytes that
are not UTF-8 pass through (as surrogate escapes), and repeated member names are kept. It does not recurse.
"""

import re
from typing import Any, NoReturn

from model_server.errors import invalid_argument

_SPACE = re.compile(rb"[ \t\n\r]*")
_INTEGER = re.compile(rb"0|[1-9][0-9]*")
_DIGITS = re.compile(rb"[0-9]+")
_PLAIN = re.compile(rb'[^\x00-\x1f"\\]*')
_HEX = re.compile(rb"[0-9A-Fa-f]{4}")
_ESCAPES = dict(zip(b'"/\\bfnrt', b'"/\\\b\f\n\r\t', strict=True))
_WORDS = {ord("n"): (b"null", None), ord("t"): (b"true", True), ord("f"): (b"false", False)}
_BOM = b"\xef\xbb\xbf"
# A power of ten beyond this does not fit a double; RapidJSON stops there.
_MAX_EXPONENT = 308
# A tenth of the largest double: RapidJSON appends no digit to a whole number from here on.
_MAX_DOUBLE_TENTH = 1.7976931348623157e307
END = 0


class Members(dict[str, Any]):
    """An object with repeated names: as a mapping the first of each counts, `pairs` has all in order."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(reversed(pairs))
        self.pairs = pairs


def members(value: dict[str, Any]) -> list[tuple[str, Any]]:
    """Names and values of an object in order, repeated names included."""
    return value.pairs if isinstance(value, Members) else list(value.items())


def parse(body: bytes) -> Any:
    """The first document in the body. Integers beyond 64 bits are floats."""
    return _Reader(body).document()


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._text = body + b"\0"
        self._at = len(_BOM) if body.startswith(_BOM) else 0

    def document(self) -> Any:
        self._skip_space()
        if self._peek() in b"\0,:]}":
            self._fail("The document is empty.")
        containers: list[list[Any]] = []
        names: list[str | None] = []
        while True:
            opened = self._peek()
            if opened in b"[{" and not self._closes_at_once(b"]" if opened == ord("[") else b"}"):
                containers.append([])
                names.append(None if opened == ord("[") else self._name())
                continue
            value: Any = self._scalar() if opened not in b"[{" else [] if opened == ord("[") else {}
            while containers:
                self._skip_space()
                name = names[-1]
                containers[-1].append(value if name is None else (name, value))
                if self._take(b","):
                    self._skip_space()
                    names[-1] = None if name is None else self._name()
                    break
                names.pop()
                if name is None:
                    value = self._close(b"]", containers.pop(), "Missing a comma or ] after an array element.")
                else:
                    pairs = self._close(b"}", containers.pop(), "Missing a comma or } after an object member.")
                    value = dict(pairs)
                    value = value if len(value) == len(pairs) else Members(pairs)
            else:
                return value

    def _peek(self) -> int:
        return self._text[self._at]

    def _take(self, expected: bytes) -> bool:
        found = self._text.startswith(expected, self._at)
        self._at += len(expected) * found
        return found

    def _match(self, pattern: re.Pattern[bytes]) -> bytes | None:
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[0]

    def _skip_space(self) -> None:
        self._match(_SPACE)

    def _fail(self, text: str, offset: int | None = None) -> NoReturn:
        raise invalid_argument(f"JSON Parse error: {text} at offset: {self._at if offset is None else offset}")

    def _closes_at_once(self, closing: bytes) -> bool:
        self._at += 1
        self._skip_space()
        return self._take(closing)

    def _close(self, closing: bytes, items: list[Any], complaint: str) -> list[Any]:
        if not self._take(closing):
            self._fail(complaint)
        return items

    def _name(self) -> str:
        if self._peek() != ord('"'):
            self._fail("Missing a name for object member.")
        name = self._string()
        self._skip_space()
        if not self._take(b":"):
            self._fail("Missing a colon after a name of object member.")
        self._skip_space()
        return name

    def _scalar(self) -> Any:
        first = self._peek()
        if first == ord('"'):
            return self._string()
        if first in _WORDS:
            word, value = _WORDS[first]
            self._spell(word)
            return value
        return self._number()

    def _spell(self, word: bytes) -> None:
        for position in range(len(word)):
            if not self._take(word[position : position + 1]):
                self._fail("Invalid value.")

    def _string(self) -> str:
        self._at += 1
        content = bytearray()
        while True:
            content += self._match(_PLAIN) or b""
            found = self._peek()
            if found == ord("\\"):
                content += self._escape()
            elif found == ord('"'):
                self._at += 1
                return content.decode(errors="surrogateescape")
            elif found == END:
                self._fail("Missing a closing quotation mark in string.")
            else:
                self._fail("Invalid escape character in string.")

    def _escape(self) -> bytes:
        start = self._at
        self._at += 1
        letter = self._peek()
        if letter in _ESCAPES:
            self._at += 1
            return bytes([_ESCAPES[letter]])
        if not self._take(b"u"):
            self._fail("Invalid escape character in string.", start)
        number = self._hex(start)
        if 0xD800 <= number <= 0xDBFF:
            low = self._hex(start) if self._take(b"\\u") else 0
            if not 0xDC00 <= low <= 0xDFFF:
                self._fail("The surrogate pair in string is invalid.", start)
            number = ((number - 0xD800) << 10 | low - 0xDC00) + 0x10000
        # A lone low half is no complaint in RapidJSON: it is encoded like any other character.
        return chr(number).encode(errors="surrogatepass")

    def _hex(self, start: int) -> int:
        digits = self._match(_HEX)
        if digits is None:
            self._fail("Incorrect hex digit after \\u escape in string.", start)
        return int(digits, 16)

    def _number(self) -> int | float:
        start = self._at
        minus = self._take(b"-")
        if self._peek() in b"IN":
            return -self._unbounded() if minus else self._unbounded()
        if self._match(_INTEGER) is None:
            self._fail("Invalid value.")
        whole = self._text[start : self._at]
        fraction = self._digits("Miss fraction part in number.") if self._take(b".") else b""
        has_exponent = self._take(b"e") or self._take(b"E")
        if has_exponent:
            negative = not self._take(b"+") and self._take(b"-")
            exponent = int(self._digits("Miss exponent in number.").lstrip(b"0")[:9] or b"0")
            if not negative and exponent > _MAX_EXPONENT + len(fraction):
                self._fail("Number too big to be stored in double.", start)
        if len(whole) > _MAX_EXPONENT and abs(float(whole[:-1])) >= _MAX_DOUBLE_TENTH:
            self._fail("Number too big to be stored in double.", start)
        if fraction or has_exponent:
            return float(self._text[start : self._at])
        number = int(whole)
        return number if -(2**63) <= number < 2**64 else float(number)

    def _digits(self, complaint: str) -> bytes:
        return self._match(_DIGITS) or self._fail(complaint)

    def _unbounded(self) -> float:
        if self._peek() == ord("N"):
            self._spell(b"NaN")
            return float("nan")
        self._spell(b"Inf")
        if self._peek() == ord("i"):
            self._spell(b"inity")
        return float("inf")
