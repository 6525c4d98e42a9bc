"""The way out: what the gateway still does, and no longer does, between the signal and the end."""

import asyncio
from collections.abc import Callable, Sized

from aiohttp import web
from aiohttp.typedefs import Handler

QUIET_SECONDS = 1.0
"""Once nothing new is accepted: open connections on which nothing runs for so long are closed.

A request may be on its way on each of them. It has this long to arrive, and closes its connection when it is answered.
"""
_POLL_SECONDS = 0.02


class Drain:
    """How far the way out has been gone; a middleware of the application counts what still runs."""

    def __init__(self) -> None:
        self.draining = False
        """/readyz says 503, so that the load balancer looks elsewhere; all else is served as ever."""
        self.closing = False
        """Every response closes its connection, so that no client sends into a closed one later."""
        self._running = 0

    @web.middleware
    async def count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The middleware; outermost, so that it sees every request for as long as it runs."""
        self._running += 1
        try:
            return await handler(request)
        finally:
            self._running -= 1

    async def close_connection(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Called before the headers of every response are sent."""
        if self.closing:
            response.force_close()
            # force_close alone comes too late for the header.
            response.headers["Connection"] = "close"

    async def window(self, seconds: float) -> None:
        """Lets the load balancer look elsewhere, then has the clients that are left close their connections.

        A client that sends at least once in the second half of the window learns in time that it must connect again.
        """
        self.draining = True
        await asyncio.sleep(seconds / 2)
        self.closing = True
        await asyncio.sleep(seconds / 2)

    async def settle(self, connections: Callable[[], Sized], seconds: float) -> None:
        """Returns when all connections are closed, or nothing runs for `QUIET_SECONDS`, or the time is over."""
        clock = asyncio.get_running_loop().time
        begin = busy_at = clock()
        while connections() and clock() - begin < seconds and clock() - busy_at < QUIET_SECONDS:
            await asyncio.sleep(_POLL_SECONDS)
            if self._running:
                busy_at = clock()
