"""How the gateway ends: what it still does between the signal and the end of the process."""

import asyncio
from collections.abc import Callable, Sized

from aiohttp import web

QUIET_SECONDS = 1.0
"""When nothing has run for so long, the connections that are still open are closed.

A request may be on its way on each of them: it has this long to arrive. Its answer closes the connection.
"""
_POLL_SECONDS = 0.02


class Drain:
    """How far the end has come; one per application."""

    def __init__(self) -> None:
        self.draining = False
        """/readyz says 503, so that the load balancer sends nothing new; all else is served as before."""
        self.closing = False
        """Every response closes its connection, so that no client sends into a closed one later."""

    async def prepare(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Called before the headers of every response are sent."""
        # aiohttp would tell its version and Python's.
        response.headers.popall("Server", None)
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

    async def settle(self, connections: Callable[[], Sized], running: Callable[[], int], seconds: float) -> None:
        """Returns when all connections are closed, or no request ran for `QUIET_SECONDS`, or the time is over."""
        clock = asyncio.get_running_loop().time
        begin = busy_at = clock()
        # A connection that was accepted a moment ago is listed only when the event loop has gone round.
        await asyncio.sleep(_POLL_SECONDS)
        while connections() and clock() - begin < seconds and clock() - busy_at < QUIET_SECONDS:
            await asyncio.sleep(_POLL_SECONDS)
            if running():
                busy_at = clock()
