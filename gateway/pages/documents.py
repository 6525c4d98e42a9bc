"""GET /openapi.json and GET /docs: made once, when somebody first asks."""

from functools import cached_property
from hashlib import sha256
from typing import Any

import msgspec
from aiohttp import web

from gateway.pages.openapi import openapi_document
from gateway.pages.page import Asset
from gateway.pages.render import STYLE_HASH, render
from gateway.settings.settings import Settings

_POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Documents:
    """What the gateway tells about itself, to programs and to people."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Adds `GET /openapi.json` and `GET /docs`."""
        router.add_get("/openapi.json", self._answer_openapi)
        router.add_get("/docs", self._answer_docs)

    async def _answer_openapi(self, request: web.Request) -> web.Response:
        return _answer(self._openapi, request)

    async def _answer_docs(self, request: web.Request) -> web.Response:
        return _answer(self._docs, request)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return openapi_document(self._settings)

    @cached_property
    def _openapi(self) -> Asset:
        return _asset(msgspec.json.encode(self._document), "application/json")

    @cached_property
    def _docs(self) -> Asset:
        return _asset(render(self._document).encode(), "text/html")


def _asset(body: bytes, content_type: str) -> Asset:
    return Asset(body, content_type, sha256(body).hexdigest()[:32])


def _answer(asset: Asset, request: web.Request) -> web.Response:
    response = asset.answer(request)
    response.headers["Content-Security-Policy"] = _POLICY
    return response
