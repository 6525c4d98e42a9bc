"""The page at `/`: a few small files, read into memory once."""

import html
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from string import Template

from aiohttp import web

from gateway.settings.settings import Settings

FOLDER = Path(__file__).parent / "static"
CONTENT_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # An utterance can never become markup, whatever a later change to the scripts does.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    content_type: str
    etag: str

    def answer(self, request: web.Request) -> web.Response:
        """200 with the file, or 304 if the browser has this very one."""
        known = any(each.value in (self.etag, "*") for each in request.if_none_match or ())
        response = web.Response(status=304) if known else web.Response(body=self.body)
        if not known:
            response.content_type, response.charset = self.content_type, "utf-8"
        response.etag = self.etag
        # Always asked for again, so that page and scripts are of one release; a 304 costs no more than its headers.
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response


class Page:
    """The page and what it loads; it asks the same `/v1/` endpoints as every client."""

    def __init__(self, settings: Settings) -> None:
        self._assets = {path.name: _read(path, settings) for path in FOLDER.iterdir() if path.suffix in CONTENT_TYPES}
        self._index = self._assets.pop(_INDEX)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Adds `GET /` and `GET /static/{name}`."""
        router.add_get("/", self._answer_index)
        router.add_get("/static/{name}", self._answer_static)

    async def _answer_index(self, request: web.Request) -> web.Response:
        return self._index.answer(request)

    async def _answer_static(self, request: web.Request) -> web.Response:
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return asset.answer(request)


def _read(path: Path, settings: Settings) -> Asset:
    body = path.read_bytes()
    if path.name == _INDEX:
        known = {
            "model_name": html.escape(settings.model_name),
            "threshold": settings.threshold,
            "max_text_characters": settings.max_text_characters,
        }
        body = Template(body.decode()).substitute(known).encode()
    return Asset(body, CONTENT_TYPES[path.suffix], sha256(body).hexdigest()[:32])
