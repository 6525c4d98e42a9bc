"""What people look at: the page at `/` with its files, and the API's documentation at `/docs` and `/openapi.json`."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Any

import msgspec
from aiohttp import web

from gateway.api import app_keys
from gateway.api.route import JSON, Route
from gateway.pages.openapi import openapi_document
from gateway.pages.render import ADDRESS, STYLE_HASH, render
from gateway.settings.settings import Settings

FOLDER = Path(__file__).parent / "static"
CONTENT_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_INDEX = "index.html"
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_NO_FRAMES = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; {_NO_FRAMES}; "
    # An utterance can never become markup, whatever a later change to the scripts does.
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_DOCS_POLICY = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; {_NO_FRAMES}"


@dataclass(frozen=True)
class _Asset:
    """One file as it is sent."""

    body: bytes
    content_type: str
    policy: str
    etag: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "etag", sha256(self.body).hexdigest()[:32])

    def answer(self, request: web.Request) -> web.Response:
        """200 with the file, or 304 if the browser has this very one."""
        known = any(each.value in (self.etag, "*") for each in request.if_none_match or ())
        response = web.Response(status=304) if known else web.Response(body=self.body)
        if not known:
            response.content_type, response.charset = self.content_type, "utf-8"
        response.etag = self.etag
        # The browser asks again each time, so that page and scripts are of one release; a 304 is only headers.
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Content-Security-Policy"] = self.policy
        return response


class Pages:
    """The files of the page are read at once, the documentation is made when somebody first asks for it."""

    def __init__(self, settings: Settings, routes: Sequence[Route]) -> None:
        self._settings = settings
        self._routes = routes
        self.assets = {path.name: _read(path, settings) for path in FOLDER.iterdir() if path.suffix in CONTENT_TYPES}
        self.index = self.assets.pop(_INDEX)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return openapi_document(self._settings, self._routes)

    @cached_property
    def openapi(self) -> _Asset:
        """The OpenAPI document as it is sent."""
        return _Asset(msgspec.json.encode(self._document), JSON, _DOCS_POLICY)

    @cached_property
    def docs(self) -> str:
        """The page at /docs, with `ADDRESS` where the gateway's own address belongs."""
        return render(self._document)


PAGES = web.AppKey("pages", Pages)


async def index(request: web.Request) -> web.Response:
    """`GET /`: the page, which asks the same `/v1/` endpoints as every client."""
    return request.app[PAGES].index.answer(request)


async def static(request: web.Request) -> web.Response:
    """`GET /static/{name}`: what the page loads."""
    asset = request.app[PAGES].assets.get(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    return asset.answer(request)


async def openapi(request: web.Request) -> web.Response:
    """`GET /openapi.json`."""
    return request.app[PAGES].openapi.answer(request)


async def docs(request: web.Request) -> web.Response:
    """`GET /docs`: the same for people. Its commands call the address at which the reader asked for it."""
    page = request.app[PAGES].docs.replace(ADDRESS, _address(request))
    return _Asset(page.encode(), "text/html", _DOCS_POLICY).answer(request)


def _address(request: web.Request) -> str:
    # A load balancer that ends TLS says so in this header.
    scheme = "https" if request.headers.get("X-Forwarded-Proto") == "https" else request.scheme
    # Whatever else a client sends as its host has no place in a command that people copy.
    host = request.host if _HOST.fullmatch(request.host) else f"localhost:{request.app[app_keys.SETTINGS].port}"
    return f"{scheme}://{host}"


def _read(path: Path, settings: Settings) -> _Asset:
    body = path.read_bytes()
    if path.name == _INDEX:
        known = {
            "model_name": html.escape(settings.model_name),
            "threshold": settings.threshold,
            "max_text_characters": settings.max_text_characters,
        }
        body = Template(body.decode()).substitute(known).encode()
    return _Asset(body, CONTENT_TYPES[path.suffix], _PAGE_POLICY)
