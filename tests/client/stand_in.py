"""A small gateway on a real socket, for what the real one cannot be made to do at will: cut, stall, refuse first."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

INTENTS = ("chitchat", "misc", "stop")

Reaction = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    at: float
    """Monotonic seconds."""
    texts: list[Any]
    body: dict[str, Any]
    headers: Mapping[str, str]
    path: str
    peer: Any
    """Address and port that the connection came from."""


def intent(text: str) -> str:
    """What the stand-in says about a text."""
    return INTENTS[len(text) % len(INTENTS)]


@dataclass
class StandIn:
    """Answers every text, after the reactions that were put in the way."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    """Each is for one request, the first for the next one."""
    always: Reaction | None = None
    """For every request behind those, in place of an answer."""
    held: threading.Event = field(default_factory=threading.Event)
    """Set once a request is held."""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    most_at_once: int = 0
    _arrived: threading.Condition = field(default_factory=threading.Condition)
    _running: int = 0
    _loop: asyncio.AbstractEventLoop | None = None

    def release(self) -> None:
        """Lets go of what `hold` holds."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.released.set)

    def wait_until_asked(self, times: int) -> None:
        """Returns once so many requests have arrived."""
        with self._arrived:
            self._arrived.wait_for(lambda: len(self.asked) >= times)

    async def hold(self, request: web.Request) -> web.StreamResponse:
        """A reaction: no answer until `release`."""
        self.held.set()
        await self.released.wait()
        return await self.answer(request)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What the gateway answers."""
        body = await request.json()
        texts = [body["text"]] if "text" in body else body["texts"]
        results = [_result(text if isinstance(text, str) else text["text"]) for text in texts]
        common = {
            "model": {"name": "intent", "version": 3},
            "request_id": request.headers["X-Request-Id"],
            "timing_ms": {"queue": 0.0, "model": 1.0, "gateway": 0.5, "total": 1.5},
            "something": "newer",
        }
        return web.json_response(common | ({"result": results[0]} if "text" in body else {"results": results}))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Notes the request, then reacts."""
        at = time.monotonic()
        body = json.loads(await request.read() or b"{}")
        texts = body.get("texts", [body["text"]] if "text" in body else [])
        with self._arrived:
            self._arrived.notify_all()
            self.asked.append(Asked(at, texts, body, request.headers, request.path, _peer(request)))
        react = self.reactions.pop(0) if self.reactions else self.always or self.answer
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)
        try:
            return await react(request)
        finally:
            self._running -= 1

    async def serve(self, started: threading.Event, ends: asyncio.Future[None]) -> None:
        """Runs until `ends`."""
        self._loop = asyncio.get_running_loop()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await ends
        self.released.set()
        await runner.cleanup()


def refuse(status: int, code: str, *, retry_after: str | None = None, pointer: str | None = None) -> Reaction:
    """A reaction: a problem document."""

    async def react(request: web.Request) -> web.StreamResponse:
        problem = {"type": f"/docs#{code}", "title": code, "status": status, "detail": f"about {code}", "code": code}
        problem |= {"pointer": pointer} if pointer else {}
        headers = {"Retry-After": retry_after} if retry_after else {}
        body = json.dumps(problem)
        return web.Response(body=body, status=status, headers=headers, content_type="application/problem+json")

    return react


def say(status: int, body: str = "", **headers: str) -> Reaction:
    """A reaction: what something else than a gateway answers."""

    async def react(request: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=status, headers=headers, content_type="text/html")

    return react


async def cut(request: web.Request) -> web.StreamResponse:
    """A reaction: the connection is reset, without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def break_off(request: web.Request) -> web.StreamResponse:
    """A reaction: the connection is reset in the middle of the answer."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"result":')
    return await cut(request)


def _peer(request: web.Request) -> Any:
    assert request.transport is not None
    return request.transport.get_extra_info("peername")


def _result(text: str) -> dict[str, Any]:
    if not text.strip():
        problem = {"code": "invalid_request", "title": "Invalid request", "status": 400, "detail": "the text is empty"}
        return {"error": problem | {"pointer": "/texts/0"}}
    ranked = [{"intent": intent(text), "score": 0.75}, {"intent": "other", "score": 0.25}]
    return {"intent": intent(text), "abstained": False, "score": 0.75, "intents": ranked}


@contextmanager
def stand_in(port: int = 0) -> Iterator[StandIn]:
    """One that listens on this port of loopback; 0 is a free one."""
    it = StandIn(port=port)
    started = threading.Event()
    loop = asyncio.new_event_loop()
    ends: asyncio.Future[None] = loop.create_future()
    thread = threading.Thread(target=lambda: loop.run_until_complete(it.serve(started, ends)))
    thread.start()
    started.wait()
    try:
        yield it
    finally:
        loop.call_soon_threadsafe(ends.set_result, None)
        thread.join()
        loop.close()
