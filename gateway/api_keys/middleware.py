"""Who may call: API keys by `Authorization: Bearer` or `X-API-Key`, each with its own rate limit."""

import os
from collections.abc import Collection
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.api_keys.keyring import Keyring
from gateway.api_keys.rate_limit import RateLimit
from gateway.errors import KeyRequiredError, RateLimitError
from gateway.telemetry.context import CONTEXT
from gateway.telemetry.metrics import MULTIPROCESS_DIRECTORY

_HOW = "send one with the header Authorization: Bearer KEY, or X-API-Key: KEY"


class Access:
    """Lets requests pass whose key is known and not used too often."""

    def __init__(self, keyring: Keyring, open_paths: Collection[str]) -> None:
        """`open_paths` want no key: what machines probe, and what people must see before they have one."""
        self._open_paths = open_paths
        directory = os.environ.get(MULTIPROCESS_DIRECTORY)
        self._directory = Path(directory) if directory else None
        self._keyring = keyring
        self._limits: dict[str, RateLimit] = {}
        """By name, so that a re-read file gives nobody a full bucket; as many as names were ever in the file."""

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Wants a key for every path but the open ones; a path that does not exist has nothing to protect.

        Raises:
            KeyRequiredError: the request brings no key, or one that is not in the file.
            RateLimitError: its key was used too often.
        """
        resource = request.match_info.route.resource
        if resource and resource.canonical not in self._open_paths:
            caller = self._admit(request)
            if context := CONTEXT.get():
                context.caller = caller
        return await handler(request)

    def _admit(self, request: web.Request) -> str:
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        secret = request.headers.get("X-API-Key") or (bearer.strip() if scheme.lower() == "bearer" else "")
        if not secret:
            raise KeyRequiredError(f"this gateway wants an API key; {_HOW}")
        key = self._keyring.find(secret)
        if key is None:
            raise KeyRequiredError(f"the API key is not known, or no longer; {_HOW}")
        if key.rate is not None and (wait := self._limit(key.name).take(key.rate)):
            raise RateLimitError(
                f"this API key may make {key.rate:g} requests a second; wait, and send fewer", retry_after=wait
            )
        return key.name

    def _limit(self, name: str) -> RateLimit:
        if name not in self._limits:
            self._limits[name] = RateLimit(self._directory and self._directory / f"rate_{name}")
        return self._limits[name]
