"""Requests that no honest client sends, each with the refusal that it deserves. `test_hostile` sends them."""

import gzip
import json
import zlib
from dataclasses import dataclass

JSON = "Content-Type: application/json"


@dataclass(frozen=True)
class Hostile:
    """The bytes, and the status and code of the answer."""

    name: str
    sent: bytes
    status: int
    code: str


def request(
    body: bytes, *headers: str, path: str = "/v1/predict", content_type: str = JSON, length: int | None = None
) -> bytes:
    """A POST in good HTTP; `length` only where it is to differ from the body's."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", content_type, *headers]
    if not any(each.lower().startswith(("transfer-encoding", "content-length")) for each in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*(each for each in lines if each), "", ""]).encode("latin-1") + body


def chunked(*chunks: bytes) -> bytes:
    """A body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in (*chunks, b""))


def _nested(levels: int) -> str:
    return "[" * levels + "]" * levels


# What is no JSON by RFC 8259, or not JSON that means one thing only.
_INVALID_JSON: dict[str, bytes | str] = {
    "nothing": "",
    "blanks only": " \n\t ",
    "NaN": "NaN",
    "NaN as text": '{"text": NaN}',
    "NaN as threshold": '{"text": "a", "threshold": NaN}',
    "Infinity": '{"text": "a", "threshold": Infinity}',
    "minus Infinity": '{"text": "a", "threshold": -Infinity}',
    "900 arrays": _nested(900),
    "900 arrays as text": f'{{"text": {_nested(900)}}}',
    "900 arrays as an item": f'{{"texts": ["a", {_nested(900)}]}}',
    "9 levels": f'{{"texts": [{_nested(7)}]}}',
    "100000 arrays, unclosed": "[" * 100_000,
    "30000 objects, unclosed": '{"text":' * 30_000,
    "50000 objects as an item": '{"texts": [' + '{"a":' * 40_000,
    "NUL behind": '{"text": "a"}\0',
    "NUL in a string": '{"text": "a\0b"}',
    "NUL before": '\0{"text": "a"}',
    "lone high surrogate": '{"text": "\\ud800"}',
    "lone low surrogate": '{"text": "\\udc00 a"}',
    "surrogates in the wrong order": '{"text": "\\udc00\\ud800"}',
    "high surrogate and a letter": '{"text": "\\ud83cA"}',
    "lone surrogate as an item": '{"texts": ["a", "\\udfff"]}',
    "lone surrogate as a name": '{"\\ud800": "a"}',
    "surrogate in UTF-8": b'{"text": "\xed\xa0\x80"}',
    "overlong UTF-8": b'{"text": "\xc0\xaf"}',
    "UTF-8 beyond the last character": b'{"text": "\xf4\x90\x80\x80"}',
    "UTF-8 cut off": b'{"text": "\xf0\x9f\x8d"}',
    "no UTF-8": b'{"text": "\xff\xfe"}',
    "Latin-1": b'{"text": "caf\xe9"}',
    "BOM": b'\xef\xbb\xbf{"text": "a"}',
    "UTF-16": '{"text": "a"}'.encode("utf-16"),
    "UTF-16 without BOM": '{"text": "a"}'.encode("utf-16-le"),
    "UTF-32": '{"text": "a"}'.encode("utf-32"),
    "text twice": '{"text": "a", "text": "b"}',
    "text twice, once escaped": '{"text": "a", "t\\u0065xt": "b"}',
    "texts twice": '{"texts": ["a: b"], "texts": ["c"]}',
    "role twice": '{"text": "a", "role": "student", "role": "teacher"}',
    "role twice in an item": '{"texts": [{"text": "a", "role": "student", "role": "teacher"}]}',
    "20000 names in an item, the last one twice": '{"texts": [{'
    + "".join(f'"{number}":1,' for number in range(20_000))
    + '"19999":1}]}',
    "lone surrogate as a turn before": '{"text": "a", "previous": "\\ud800"}',
    "top_k 20000 times": '{"text": "a"' + ', "top_k": 1' * 20_000 + "}",
    "two documents": '{"text": "a"}{"text": "b"}',
    "lines of documents": '{"text": "a"}\n{"text": "b"}\n',
    "rubbish behind": '{"text": "a"} x',
    "comma behind the last field": '{"text": "a",}',
    "comma behind the last item": '{"texts": ["a",]}',
    "single quotes": "{'text': 'a'}",
    "comment": '{"text": "a" /* b */}',
    "name without quotes": '{text: "a"}',
    "number with a leading zero": '{"text": "a", "top_k": 01}',
    "hexadecimal number": '{"text": "a", "top_k": 0x1}',
    "number with a plus": '{"text": "a", "top_k": +1}',
    "number without digits": '{"text": "a", "threshold": .}',
    "exponent without digits": '{"text": "a", "threshold": 1e}',
    "string cut off": '{"text": "a',
    "escape cut off": '{"text": "\\u12',
    "unknown escape": '{"text": "\\x41"}',
    "line break in a string": '{"text": "a\nb"}',
    "only quotes": '"' * 1001,
    "rubbish behind a wrong type": '{"text": 1, rubbish}',
    "lone surrogate behind a wrong type": '{"text": 1, "texts": ["\\ud800"]}',
    "form": "text=a",
    "XML": "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><text>&b;</text>",
}

# JSON of another shape.
_INVALID_REQUEST: dict[str, str] = {
    "null": "null",
    "true": "true",
    "a number": "1",
    "a string": '"text"',
    "an array": '[{"text": "a"}]',
    "an empty object": "{}",
    "text: number": '{"text": 1}',
    "text: null": '{"text": null}',
    "text: boolean": '{"text": false}',
    "text: array": '{"text": ["a"]}',
    "text: object": '{"text": {"text": "a"}}',
    "text: number out of range": '{"text": 1e999999}',
    "text: 200000 digits": '{"text": ' + "1" * 200_000 + "}",
    "texts: string": '{"texts": "a"}',
    "texts: null": '{"texts": null}',
    "texts: object": '{"texts": {"0": "a"}}',
    "texts: empty": '{"texts": []}',
    "texts: number out of range": '{"texts": ["a", 1e999999]}',
    "text and texts": '{"text": "a", "texts": ["a"]}',
    "threshold: string": '{"text": "a", "threshold": "0.5"}',
    "threshold: above": '{"text": "a", "threshold": 1.0000001}',
    "threshold: below": '{"text": "a", "threshold": -1e-300}',
    "threshold: null": '{"text": "a", "threshold": null}',
    "threshold: out of range": '{"text": "a", "threshold": 1e999}',
    "top_k: 0": '{"text": "a", "top_k": 0}',
    "top_k: below": '{"text": "a", "top_k": -9223372036854775809}',
    "top_k: fraction": '{"text": "a", "top_k": 1.0}',
    "top_k: boolean": '{"text": "a", "top_k": true}',
    "top_k: string": '{"text": "a", "top_k": "1"}',
    "top_k: 5000 digits": '{"text": "a", "top_k": ' + "9" * 5000 + "}",
    "version: 0": '{"text": "a", "version": 0}',
    "version: above 63 bits": '{"text": "a", "version": 9223372036854775808}',
    "version: string": '{"text": "a", "version": "1"}',
    "label: number": '{"text": "a", "label": 1}',
    "label: empty": '{"text": "a", "label": ""}',
    "version and label": '{"text": "a", "version": 1, "label": "stable"}',
    "unknown field": '{"text": "a", "model": "../../etc/passwd"}',
    "field of a prototype": '{"text": "a", "__proto__": {"admin": true}}',
    "role: another": '{"text": "a", "role": "cook"}',
    "role: null": '{"text": "a", "role": null}',
    "role: 200000 characters": '{"text": "a", "role": "' + "x" * 200_000 + '"}',
    "previous: array": '{"text": "a", "previous": ["b"]}',
    "previous: object": '{"text": "a", "previous": {"text": "b"}}',
    "role beside texts": '{"texts": ["a"], "role": "student"}',
    "name in capitals": '{"TEXT": "a"}',
    "empty name": '{"text": "a", "": 1}',
    "name of 200000 characters": '{"' + "x" * 200_000 + '": 1}',
    "name of quotes and slashes": '{"text": "a", "`~/\\"\\n": 1}',
    "text: empty": '{"text": ""}',
    "text: blanks": '{"text": " \\t\\n"}',
    "text: blanks of Unicode": '{"text": "\\u2003\\u00a0\\u3000"}',
}

_BOMB = gzip.compress(bytes(50_000_000))
_GOOD = b'{"text": "a"}'

# In good HTTP: refused by what the headers say, or by size.
_OTHERS = (
    Hostile("text of 4097 characters", request(json.dumps({"text": "x" * 4097}).encode()), 413, "text_too_long"),
    Hostile(
        "turn before of 4097 characters",
        request(json.dumps({"text": "a", "previous": "x" * 4097}).encode()),
        413,
        "text_too_long",
    ),
    Hostile("65 texts", request(json.dumps({"texts": ["a"] * 65}).encode()), 413, "too_many_texts"),
    Hostile("80000 texts", request(b'{"texts": [' + b"0," * 80_000 + b"0]}"), 413, "too_many_texts"),
    Hostile("300000 bytes", request(b" " * 300_000), 413, "body_too_large"),
    Hostile(
        "300000 bytes in chunks",
        request(chunked(*[b" " * 1000] * 300), "Transfer-Encoding: chunked"),
        413,
        "body_too_large",
    ),
    Hostile("a terabyte announced", request(_GOOD, length=10**12), 413, "body_too_large"),
    Hostile("no type", request(_GOOD, content_type=""), 415, "unsupported_media_type"),
    Hostile("a type of rubbish", request(_GOOD, content_type="Content-Type: ;;=;/"), 415, "unsupported_media_type"),
    *(
        Hostile(f"type {kind}", request(_GOOD, content_type=f"Content-Type: {kind}"), 415, "unsupported_media_type")
        for kind in (
            "text/plain",
            "text/json",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "application/json; charset=latin-1",
            "application/json+zip",
        )
    ),
    *(
        Hostile(f"coding {coding}", request(body, f"Content-Encoding: {coding}"), 415, "unsupported_media_type")
        for coding, body in (
            ("gzip", gzip.compress(_GOOD)),
            ("GZIP", gzip.compress(_GOOD)),
            ("deflate", zlib.compress(_GOOD)),
            ("br", _GOOD),
            ("zstd", _GOOD),
            ("gzip, gzip", gzip.compress(gzip.compress(_GOOD))),
            ("rubbish", _GOOD),
        )
    ),
    Hostile("gzip bomb", request(_BOMB, "Content-Encoding: gzip"), 415, "unsupported_media_type"),
    Hostile("gzip bomb without saying so", request(_BOMB), 400, "invalid_json"),
    Hostile(
        "gzip bomb in chunks",
        request(chunked(_BOMB), "Content-Encoding: gzip", "Transfer-Encoding: chunked"),
        415,
        "unsupported_media_type",
    ),
    Hostile(
        "gzip bomb as transfer coding", request(chunked(_BOMB), "Transfer-Encoding: gzip, chunked"), 400, "invalid_json"
    ),
    Hostile("expects a miracle", request(_GOOD, "Expect: miracle"), 417, "expectation_failed"),
    *(
        Hostile(f"time of {given!r}", request(_GOOD, f"X-Request-Timeout: {given}"), 400, "invalid_header")
        for given in ("0", "-1", "1e3", "0.5", "soon", "", "\xb2", "1,2")
    ),
    Hostile("a wrong path", request(_GOOD, path="/v1/predict/../../etc/passwd"), 404, "not_found"),
    Hostile("a path of percent signs", request(_GOOD, path="/%2e%2e/%00/%ff"), 404, "not_found"),
    Hostile("a wrong method", request(_GOOD).replace(b"POST", b"PUT", 1), 405, "method_not_allowed"),
    Hostile("an odd method", request(_GOOD).replace(b"POST", b"PROPFIND", 1), 405, "method_not_allowed"),
)

_CHUNKED = "Transfer-Encoding: chunked"
_HEAD = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n"

# No HTTP: the connection ends with the answer.
_BROKEN: dict[str, bytes] = {
    "no HTTP": b"no HTTP at all\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/3": b"GET /status HTTP/3.0\r\n\r\n",
    "method of bytes": b"\x00\xff / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET /v1/models HTTP/1.1\r\n\r\n",
    "two lengths": request(_GOOD, "Content-Length: 13", "Content-Length: 1"),
    "length below zero": request(_GOOD, length=-1),
    "length of letters": request(_GOOD, "Content-Length: thirteen"),
    "length with a plus": request(_GOOD, "Content-Length: +13"),
    "length beyond 64 bits": request(_GOOD, length=2**64),
    "length and chunks": request(chunked(_GOOD), _CHUNKED, "Content-Length: 13"),
    "unknown transfer coding": request(_GOOD, "Transfer-Encoding: rubbish"),
    "chunked twice": request(chunked(_GOOD), _CHUNKED, _CHUNKED),
    "chunk without a size": request(b"\r\n{}\r\n0\r\n\r\n", _CHUNKED),
    "chunk size of letters": request(b"zz\r\n{}\r\n0\r\n\r\n", _CHUNKED),
    "chunk size below zero": request(b"-2\r\n{}\r\n0\r\n\r\n", _CHUNKED),
    "chunk size beyond 64 bits": request(b"ffffffffffffffff1\r\n{}\r\n0\r\n\r\n", _CHUNKED),
    "chunk longer than its size": request(b"1\r\n{}\r\n0\r\n\r\n", _CHUNKED),
    "second chunk of rubbish": request(b"2\r\n{}\r\nrubbish\r\n", _CHUNKED),
    "header without a colon": _HEAD + b"rubbish\r\n\r\n",
    "header with a blank in its name": _HEAD + b"X y: z\r\n\r\n",
    "header with NUL": _HEAD + b"X: a\0b\r\n\r\n",
    "header over two lines": _HEAD + b"X: a\r\n b\r\n\r\n",
    "header of 10000 characters": _HEAD + b"X: " + b"a" * 10_000 + b"\r\n\r\n",
    "header name of 10000 characters": _HEAD + b"X" * 10_000 + b": a\r\n\r\n",
    "1000 headers": _HEAD + b"X: a\r\n" * 1000 + b"\r\n",
    "path of 10000 characters": b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "path with NUL": b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "path of bytes": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "lines without returns": b"GET /status HTTP/1.1\nHost: x\n\n",
    "two types": request(_GOOD, "Content-Type: text/plain"),
}

_INVALID = {"invalid_json": _INVALID_JSON, "invalid_request": _INVALID_REQUEST}

CORPUS = (
    *(
        Hostile(f"{code}: {name}", request(body.encode() if isinstance(body, str) else body), 400, code)
        for code, bodies in _INVALID.items()
        for name, body in bodies.items()
    ),
    *_OTHERS,
    *(Hostile(name, sent, 400, "invalid_http") for name, sent in _BROKEN.items()),
)

# Neither ends in time: 408. The second number of each is what is sent of the first.
SLOW: dict[str, bytes] = {
    "no body": request(b"", length=13),
    "half a body": request(_GOOD[:6], length=13),
    "half a chunk": request(b"d\r\n" + _GOOD[:6], _CHUNKED),
    "no last chunk": request(b"d\r\n" + _GOOD + b"\r\n", _CHUNKED),
    "no body after Expect": request(b"", "Expect: 100-continue", length=13),
}
