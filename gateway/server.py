"""The gateway's life: listen, serve until told to stop, finish what runs."""

import asyncio
import logging
import signal

from aiohttp import web

from gateway import keys
from gateway.app import create_app
from gateway.settings import Settings

_LOG = logging.getLogger(__name__)


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then stops accepting, finishes running requests and closes the channel.

    Raises:
        OSError: the address cannot be listened on.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app = create_app(settings)
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=settings.drain_seconds,
        # After a refusal the rest of the body is still taken for so long: else the client might see a reset, no answer.
        lingering_time=settings.body_seconds,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        host, port = runner.addresses[0][:2]
        _LOG.info(
            "listening on http://%s:%s for model %s at %s", host, port, settings.model_name, settings.model_server
        )
        await stop.wait()
        _LOG.info("stopping: no new connections, running requests have %s s", settings.drain_seconds)
        app[keys.DRAINING].set()
    finally:
        await runner.cleanup()
    _LOG.info("stopped")
