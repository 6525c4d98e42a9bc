"""The gateway's life: listen, serve until told to stop, drain, finish what runs."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Sequence

from aiohttp import web

from gateway.api import app_keys
from gateway.api.drain import Drain
from gateway.api.protocol import protocols
from gateway.app import create_app
from gateway.settings.settings import Settings
from gateway.sockets import close_listener

BACKLOG = 1024
"""Connections that the kernel keeps while the gateway is busy."""
CUT_SECONDS = 0.2
"""How long requests that are cut off may take to end by themselves."""

_STOPS = (signal.SIGTERM, signal.SIGINT)
_LOG = logging.getLogger(__name__)


async def serve(settings: Settings, sockets: Sequence[socket.socket], lifeline: int | None = None) -> None:
    """Serves on these bound sockets until SIGTERM or SIGINT, and drains; docs/gateway.md draws it.

    `lifeline` is the read end of a pipe. When it closes, the process that watches over this one is gone, and this one
    ends as if by SIGINT.
    """
    asked = _signals(lifeline)
    app = create_app(settings)
    runner = web.AppRunner(
        app,
        # A caller who goes away takes the call to the model server along.
        handler_cancellation=True,
        shutdown_timeout=CUT_SECONDS,
    )
    await runner.setup()
    try:
        await _serve(settings, runner, app[app_keys.DRAIN], sockets, asked)
    finally:
        await runner.cleanup()
    _LOG.info("stopped")


async def _serve(
    settings: Settings,
    runner: web.AppRunner,
    drain: Drain,
    sockets: Sequence[socket.socket],
    asked: "asyncio.Future[signal.Signals]",
) -> None:
    application = runner.server
    assert application is not None
    factory = protocols(application, runner.app[app_keys.METRICS], settings)
    loop = asyncio.get_running_loop()
    for each in sockets:
        await loop.create_server(factory, sock=each, backlog=BACKLOG)
    host, port = sockets[0].getsockname()[:2]
    at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    _LOG.info("listening on http://%s for model %s at %s", at, settings.model_name, settings.model_server)
    number = await asked
    if number == signal.SIGTERM and settings.load_balancer_window_seconds:
        _LOG.info("draining: all is served for %s s, /readyz says 503", settings.load_balancer_window_seconds)
        await drain.window(settings.load_balancer_window_seconds)
    drain.draining = drain.closing = True
    _LOG.info("stopping: no new connections, running requests have %s s", settings.drain_seconds)
    for each in sockets:
        loop.remove_reader(each)
        for connection in close_listener(each):
            await loop.connect_accepted_socket(factory, connection)
    await drain.settle(lambda: application.connections, runner.app[app_keys.RUNNING], settings.drain_seconds)


def _signals(lifeline: int | None) -> "asyncio.Future[signal.Signals]":
    """The first signal that asks for the end. The second one ends the process at once, with the shell's status for it.

    Not by the signal's default action: that does nothing to the first process of a container.
    """
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[signal.Signals] = loop.create_future()

    def ask(number: signal.Signals) -> None:
        if asked.done():
            os._exit(128 + number)
        asked.set_result(number)

    def orphaned(lifeline: int) -> None:
        loop.remove_reader(lifeline)
        if not asked.done():
            asked.set_result(signal.SIGINT)

    for number in _STOPS:
        loop.add_signal_handler(number, ask, number)
    if lifeline is not None:
        loop.add_reader(lifeline, orphaned, lifeline)
    # A process that starts workers blocks them, so that none is lost before this line.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    return asked
