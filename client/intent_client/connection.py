"""Requests to one gateway: a pool of connections, a time limit, and tries until one succeeds or time is up."""

import asyncio
import os
import random
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from uuid import uuid4

import httpx

from intent_client.answers import Problem, convert
from intent_client.errors import AnswerError, BadAnswerError, ClientError, UnreachableError

ATTEMPT_SECONDS = 15.0
"""Longest wait for one answer: a peer that vanished must not use up all the time. The gateway's own limit is 10 s."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
# Clients that failed together must not come back together.
_SPREAD = 0.25

OnWait = Callable[[ClientError, float], None]
"""Called before each wait for another try: why, and for how many seconds."""


class Connection:
    """Create it inside a running event loop, and close it."""

    def __init__(self, url: str, key: str | None, time_limit: float, connections: int, on_wait: OnWait | None) -> None:
        headers = {"User-Agent": "intent-client"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._url = url
        self._time_limit = time_limit
        self._on_wait = on_wait
        # What the gateway asked of one request (Retry-After) holds for the others too: until when, and why.
        self._paused_until = 0.0
        self._paused_by: ClientError | None = None
        self._http = httpx.AsyncClient(
            headers=headers,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            # `_attempt` limits the whole of it.
            timeout=None,
            # The certificates that the machine trusts; and no proxy or redirect gets to see the key.
            verify=ssl.create_default_context(),
            trust_env=False,
        )

    async def close(self) -> None:
        """Ends all connections."""
        await self._http.aclose()

    async def ask(
        self, method: str, path: str, body: bytes | None = None, query: Mapping[str, str] | None = None
    ) -> bytes:
        """The content of a successful answer. All tries have one request id.

        Raises:
            ClientError: refused, failed, or not answered until time was up; then it is the last try's error.
        """
        ends = time.monotonic() + self._time_limit
        headers = {"X-Request-Id": uuid4().hex} | ({"Content-Type": "application/json"} if body else {})
        request = self._http.build_request(method, self._url + path, content=body, params=query, headers=headers)
        failures = 0
        while True:
            await self._pause(ends)
            try:
                return await self._attempt(request, min(max(ends - time.monotonic(), 0.001), ATTEMPT_SECONDS))
            except ClientError as error:
                wait = self._wait(error, failures)
                if not error.passing or time.monotonic() + wait >= ends:
                    raise
                failures += 1
                if self._on_wait is not None:
                    self._on_wait(error, wait)
            await asyncio.sleep(wait)

    async def _pause(self, ends: float) -> None:
        while (left := self._paused_until - time.monotonic()) > 0:
            if self._paused_until >= ends and self._paused_by is not None:
                raise self._paused_by.with_traceback(None)
            await asyncio.sleep(left)

    def _wait(self, error: ClientError, failures: int) -> float:
        backoff = min(_FIRST_PAUSE * 2.0 ** min(failures, 30), _LONGEST_PAUSE) * random.uniform(1 - _SPREAD, 1)
        if error.retry_after is None or not error.passing:
            return backoff
        seconds = max(backoff, error.retry_after * random.uniform(1, 1 + _SPREAD))
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)
        self._paused_by = error
        return seconds

    async def _attempt(self, request: httpx.Request, seconds: float) -> bytes:
        # A little less than is left: the gateway's answer says why it is late, our own limit cannot.
        request.headers["X-Request-Timeout"] = str(max(1, int((seconds - min(seconds / 10, 0.1)) * 1000)))
        request_id = request.headers["X-Request-Id"]
        try:
            async with asyncio.timeout(seconds):
                response = await self._http.send(request)
        except TimeoutError:
            detail, passing = f"no answer from {self._url} in {seconds:.3g} s", True
        except httpx.TransportError as error:
            reasons = list(_causes(error))
            passing = not any(isinstance(each, ssl.SSLError) for each in reasons)
            kind = "connection" if passing else "secure connection"
            detail = f"no {kind} to {self._url}: {_words(reasons[-1])}"
        except httpx.RequestError as error:
            raise BadAnswerError(f"{self._url} does not speak HTTP: {error}", request_id=request_id) from error
        else:
            if response.status_code == 200:
                return response.content
            raise _refusal(response, request_id)
        unreachable = UnreachableError(detail, request_id=request_id)
        unreachable.passing = passing
        raise unreachable


def _causes(error: BaseException | None) -> "list[BaseException]":
    found = []
    while error is not None:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _words(error: BaseException) -> str:
    # Errors of name resolution are below zero, and have words of their own.
    if isinstance(error, OSError) and error.errno and error.errno > 0 and not isinstance(error, ssl.SSLError):
        return os.strerror(error.errno)
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def _refusal(response: httpx.Response, request_id: str) -> AnswerError:
    retry_after = _seconds(response.headers.get("Retry-After"))
    try:
        return convert(response.content, Problem).error(request_id, retry_after)
    except BadAnswerError:
        pass
    location = response.headers.get("Location")
    hint = f"; it points to {location}: use that as the URL" if location else ", and no word why; is the URL right?"
    error = AnswerError(
        f"HTTP {response.status_code} {response.reason_phrase}{hint}",
        code=f"http_{response.status_code}",
        status=response.status_code,
        request_id=request_id,
        retry_after=retry_after,
    )
    # A load balancer says 502 when its connection to the gateway broke.
    error.passing = error.passing or response.status_code == 502
    return error


def _seconds(retry_after: str | None) -> float | None:
    if retry_after is None:
        return None
    try:
        if retry_after.strip().isdigit():
            return float(retry_after)
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
