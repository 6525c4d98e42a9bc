"""The HTTP listener of the REST API: aiohttp in a thread of its own, requests answered by a pool."""

import asyncio
import logging
import re
import socket
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from aiohttp import hdrs, web

from model_server.command_line import Options
from model_server.config.config import read_text
from model_server.config.protos import MonitoringConfig
from model_server.metrics import metrics
from model_server.rest import rest_paths
from model_server.rest.rest_api import Reply, RestApi
from model_server.versions.server_core import ServerCore

_log = logging.getLogger(__name__)

DEFAULT_METRICS_PATH = "/monitoring/prometheus/metrics"
_API_PATH = re.compile("/v1/.*", re.ASCII | re.IGNORECASE)
_METHODS = frozenset(("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"))
# What the stock server's HTTP library says to what never gets to the API.
_PAGE = "<HTML><HEAD>\n<TITLE>%d %s</TITLE>\n</HEAD><BODY>\n<H1>%s</H1>\n</BODY></HTML>\n"
# That library limits neither the request line nor a header; this much, in bytes, is no danger.
_MAX_LINE = 1 << 20
_CORS_HEADERS = {
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "POST, GET",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Content-Type",
}
# What a compressed body may unpack to, in bytes; the stock server's limit.
_MAX_UNPACKED = 100 * 1024 * 1024
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
# What an answer without a body is labelled with.
_EMPTY_TYPE = "text/html; charset=ISO-8859-1"


class RestServer:
    """A listening server."""

    def __init__(self, api: RestApi, options: Options, metrics_path: str) -> None:
        """Listens at `[::]` for IPv6 and IPv4, or at `0.0.0.0` on a machine without IPv6.

        `metrics_path`: where the metrics page is; empty if there is none.

        Raises:
            OSError: the port is taken; OverflowError: it is no port.
        """
        cors = _CORS_HEADERS if options.rest_api_enable_cors_support else {}
        self._api = api
        self._metrics_path = metrics_path
        self._headers = {hdrs.CONTENT_TYPE: "application/json"} | cors
        self._preflight_headers = {hdrs.CONTENT_TYPE: _EMPTY_TYPE} | cors
        listener = _listen(options.rest_api_port)
        self._pool = ThreadPoolExecutor(max(1, options.rest_api_num_threads), "rest")
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="rest", daemon=True).start()
        accepting = self._accept(listener, options.drain_seconds)
        self._runner = asyncio.run_coroutine_threadsafe(accepting, self._loop).result()
        _log.info("Exporting HTTP/REST API at:localhost:%d ...", options.rest_api_port)

    def stop(self) -> None:
        """Stops accepting, finishes what runs within the drain time, then closes."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()

    async def _accept(self, listener: socket.socket, drain_seconds: int) -> web.ServerRunner:
        # Compressed bodies are unpacked here, because the stock server has its own way with broken ones.
        server = web.Server(
            self._handle,
            access_log=None,
            auto_decompress=False,
            max_line_size=_MAX_LINE,
            max_field_size=_MAX_LINE,
        )
        runner = web.ServerRunner(server, shutdown_timeout=drain_seconds)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        return runner

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        if request.method not in _METHODS:
            return _page(HTTPStatus.NOT_IMPLEMENTED)
        path = rest_paths.local(request.raw_path)
        if path is None:
            return _page(HTTPStatus.BAD_REQUEST)
        if self._metrics_path and path.partition("?")[0] == self._metrics_path:
            return await self._loop.run_in_executor(self._pool, _metrics_page, self._metrics_path, path)
        if not _API_PATH.fullmatch(path):
            return _page(HTTPStatus.NOT_FOUND)
        if request.method == hdrs.METH_OPTIONS:
            status = self._api.preflight(request.headers.get(hdrs.ORIGIN, ""))
            return web.Response(status=status, headers=self._preflight_headers)
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        body = await request.content.read()
        is_packed = "gzip" in request.headers.get(hdrs.CONTENT_ENCODING, "")
        reply = await self._loop.run_in_executor(self._pool, self._answer, request.method, path, body, is_packed)
        return web.Response(status=reply.status, body=reply.body, headers=self._headers)

    def _answer(self, method: str, path: str, body: bytes, is_packed: bool) -> Reply:
        return self._api.answer(method, path, _unpack(body) if is_packed else body)


def start(core: ServerCore, options: Options) -> RestServer | None:
    """A listening server, if the options want one. Where that fails, the log says why and the gRPC API goes on alone.

    Raises:
        StatusError: the file that enables the metrics page is missing or does not parse.
    """
    port = options.rest_api_port
    if not port:
        return None
    metrics_path = _metrics_path(options.monitoring_config_file)
    if port == options.port:
        _log.error("server_options.http_port cannot be same as grpc_port. Use another port, or 0 for no REST API")
        return None
    try:
        return RestServer(RestApi(core, options), options, metrics_path)
    except (OSError, OverflowError) as error:
        _log.error("Failed to start HTTP Server at localhost:%d: %s", port, error)
        return None


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except (OSError, ValueError):
        return socket.create_server(("0.0.0.0", port))


def _page(status: HTTPStatus) -> web.Response:
    text = _PAGE % (status, status.phrase, status.phrase)
    response = web.Response(status=status, body=text.encode(), content_type="text/html")
    response.force_close()
    return response


def _unpack(body: bytes) -> bytes:
    """The body unpacked; nothing at all where that fails, as in the stock server."""
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        content = unpacker.decompress(body, _MAX_UNPACKED)
    except zlib.error:
        return b""
    return content if unpacker.eof else b""


def _metrics_path(config_file: str) -> str:
    if not config_file:
        return ""
    config = read_text(config_file, MonitoringConfig()).prometheus_config
    return (config.path or DEFAULT_METRICS_PATH) if config.enable else ""


def _metrics_page(metrics_path: str, path: str) -> web.Response:
    is_exact = path == metrics_path
    text = metrics.exposition() if is_exact else f"Unexpected path: {path}. Should be {metrics_path}"
    return web.Response(status=200 if is_exact else 400, body=text.encode(), headers={hdrs.CONTENT_TYPE: "text/plain"})
