"""Plays a trace against a gateway: every request at its instant, whether the earlier ones are answered or not.

wrk and its like wait for answers before they ask again, so they cannot show what happens when more comes than is
served. A replay sends what the simulation gets, which makes the two comparable request by request.
"""

import asyncio
import gc
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from benchmarks.capacity.arrivals import Array

CONNECTIONS = 256
"""Open from the beginning; above what the gateway keeps (in flight and queued), so that one is always idle."""
PATIENCE = 15.0
"""Seconds for the last answers; above the gateway's deadline."""


@dataclass(frozen=True)
class Replayed:
    """What really happened, in the order of the trace.

    Attributes:
        sent: seconds since the beginning, float64 [requests]; a little after the instants of the trace.
        latencies: seconds from sending to the whole answer, float64 [requests]; NaN without one.
        statuses: of HTTP, int64 [requests]; 0 without an answer.
        client: CPU seconds of this client for one request.
        request_bytes, response_bytes: means.
    """

    sent: Array
    latencies: Array
    statuses: Array
    client: float
    request_bytes: float
    response_bytes: float


def play(port: int, texts: Sequence[str], instants: Array) -> Replayed:
    """Posts the texts in turn to /predict on loopback; `instants` in s, ascending."""
    requests = [_request(text) for text in texts]
    gc.collect()
    gc.disable()
    try:
        return asyncio.run(_play(port, requests, instants))
    finally:
        gc.enable()


def _request(text: str) -> bytes:
    body = json.dumps({"text": text}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


@dataclass
class _Tape:
    """What the connections write down."""

    sent: Array
    done: Array
    statuses: Array
    idle: "list[_Connection]" = field(default_factory=list)
    received: int = 0
    left: int = 0
    all_done: asyncio.Event = field(default_factory=asyncio.Event)


class _Connection(asyncio.Protocol):
    def __init__(self, tape: _Tape) -> None:
        self._tape = tape
        self._buffer = b""
        self._request = -1
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._tape.idle.append(self)

    def ask(self, request: int, data: bytes) -> None:
        self._request = request
        self._tape.sent[request] = time.perf_counter()
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        headers = head.lower()
        at = headers.index(b"content-length:") + 15
        if len(body) < int(headers[at:].split(b"\r\n", 1)[0]):
            return
        tape = self._tape
        tape.done[self._request] = time.perf_counter()
        tape.statuses[self._request] = int(head[9:12])
        tape.received += len(self._buffer)
        self._buffer = b""
        if b"connection: close" not in headers:
            tape.idle.append(self)
        self._finish()

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._tape.idle:
            self._tape.idle.remove(self)
        self._finish()

    def _finish(self) -> None:
        if self._request >= 0:
            self._request = -1
            self._tape.left -= 1
            if not self._tape.left:
                self._tape.all_done.set()

    def close(self) -> None:
        self._transport.close()


async def _play(port: int, requests: Sequence[bytes], instants: Array) -> Replayed:
    count = len(instants)
    tape = _Tape(np.full(count, np.nan), np.full(count, np.nan), np.zeros(count, np.int64), left=count)
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: _Connection(tape), "127.0.0.1", port))[1] for _ in range(CONNECTIONS)
    ]
    used, start, bytes_sent = time.process_time(), time.perf_counter(), 0
    for request, instant in enumerate(instants.tolist()):
        # Also when it is late already, so that answers are read meanwhile.
        await asyncio.sleep(max(0.0, start + instant - time.perf_counter()))
        if not tape.idle:
            tape.left -= 1
            continue
        data = requests[request % len(requests)]
        bytes_sent += len(data)
        tape.idle.pop().ask(request, data)
    # What is not answered by then stays without a status, which counts as a failure.
    with suppress(TimeoutError):
        await asyncio.wait_for(tape.all_done.wait() if tape.left else asyncio.sleep(0), PATIENCE)
    used = time.process_time() - used
    for connection in connections:
        connection.close()
    return Replayed(
        tape.sent - start, tape.done - tape.sent, tape.statuses, used / count, bytes_sent / count, tape.received / count
    )
