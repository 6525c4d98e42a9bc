"""The way to one gateway: a pool of connections, a time limit, and tries until one succeeds or time is up."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from uuid import uuid4

import aiohttp
import msgspec

from intent_client.errors import AnswerError, BadAnswerError, ClientError, UnreachableError
from intent_client.pause import Pause
from intent_client.wire import Problem

ATTEMPT_SECONDS = 15.0
"""Longest wait for one answer, so that a peer which vanished without a word does not use up all the time. The
gateway's own limit is 10 s unless set higher."""

_MARGIN_SECONDS = 0.1
# Of the gateway's own answers the ones that another try may change are in `errors`. This one a load balancer gives
# whose connection to the gateway broke.
_LOST_BEHIND_LOAD_BALANCER = 502

OnWait = Callable[[ClientError, float], None]
"""Called before each wait for another try: why, and for how many seconds."""


class Connection:
    """Create it inside a running event loop, and close it."""

    def __init__(self, url: str, key: str | None, time_limit: float, connections: int, on_wait: OnWait | None) -> None:
        headers = {"User-Agent": "intent-client", "Content-Type": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self._url = url
        self._time_limit = time_limit
        self._on_wait = on_wait
        self._pause = Pause()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections), headers=headers, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        """Ends all connections."""
        await self._session.close()

    async def ask(
        self, method: str, path: str, body: bytes | None = None, query: Mapping[str, str] | None = None
    ) -> bytes:
        """The content of a successful answer. All tries go under one request id.

        Raises:
            ClientError: refused, failed, or not answered until time was up; then it is the last try's error.
        """
        ends = time.monotonic() + self._time_limit
        request_id = uuid4().hex
        failures = 0
        while True:
            await self._pause.over(ends)
            seconds = min(max(ends - time.monotonic(), 0.001), ATTEMPT_SECONDS)
            try:
                return await self._attempt(method, path, body, query, request_id, seconds)
            except ClientError as error:
                if not error.passing:
                    raise
                failures += 1
                wait = self._pause.after(error, failures)
                if time.monotonic() + wait >= ends:
                    raise
                if self._on_wait is not None:
                    self._on_wait(error, wait)
            await asyncio.sleep(wait)

    async def _attempt(
        self,
        method: str,
        path: str,
        body: bytes | None,
        query: Mapping[str, str] | None,
        request_id: str,
        seconds: float,
    ) -> bytes:
        # A little less than is left: the gateway's answer says why it is late, the own limit cannot.
        told = max(1, int((seconds - min(seconds / 10, _MARGIN_SECONDS)) * 1000))
        headers = {"X-Request-Id": request_id, "X-Request-Timeout": str(told)}
        try:
            async with self._session.request(
                method,
                self._url + path,
                data=body,
                params=query,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=seconds),
                # A key must not follow to another host, and a POST would become a GET.
                allow_redirects=False,
            ) as response:
                content = await response.read()
        except aiohttp.ClientSSLError as error:
            final = UnreachableError(f"no secure connection to {self._url}: {error}", request_id=request_id)
            final.passing = False
            raise final from error
        except TimeoutError as error:
            raise UnreachableError(f"no answer from {self._url} in {seconds:.3g} s", request_id=request_id) from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise UnreachableError(f"no connection to {self._url}: {_reason(error)}", request_id=request_id) from error
        except aiohttp.ClientError as error:
            raise BadAnswerError(f"{self._url} does not speak HTTP: {error}", request_id=request_id) from error
        if response.status == 200:
            return content
        raise _refusal(response, content, request_id)


def _reason(error: aiohttp.ClientError) -> str:
    if not isinstance(error, OSError):
        return str(error)
    # Below zero are those of name resolution, which have words of their own.
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def _refusal(response: aiohttp.ClientResponse, content: bytes, request_id: str) -> AnswerError:
    retry_after = _seconds(response.headers.get("Retry-After"))
    try:
        return msgspec.json.decode(content, type=Problem).error(request_id, retry_after)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    location = response.headers.get("Location")
    error = AnswerError(
        f"HTTP {response.status} {response.reason}"
        + (f"; it points to {location}: use that as the URL" if location else ", and no word why; is the URL right?"),
        code=f"http_{response.status}",
        status=response.status,
        request_id=request_id,
        retry_after=retry_after,
    )
    error.passing = error.passing or response.status == _LOST_BEHIND_LOAD_BALANCER
    return error


def _seconds(retry_after: str | None) -> float | None:
    """Of a Retry-After header: seconds, or the date that a proxy may send instead."""
    if retry_after is None:
        return None
    try:
        if retry_after.strip().isdigit():
            return float(retry_after)
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
