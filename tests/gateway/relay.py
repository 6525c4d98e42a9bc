"""A TCP relay between gateway and model server: real traffic, but a test can hold it, cut it and turn it elsewhere."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """Made by `relay(...)`, and runs in a thread of its own; the methods return when they have taken effect."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.held = threading.Event()
        """Set once the content that `hold` waits for is kept back."""
        self._target_port = target_port
        self._accepting = True
        self._awaited: bytes | None = None
        self._released = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    def hold(self, content: bytes) -> None:
        """Keeps back what the gateway sends from the packet with this content on."""

        async def work() -> None:
            self.held.clear()
            self._released.clear()
            self._awaited = content

        self._run(work())

    def release(self) -> None:
        """Lets everything through again, what was kept back first."""

        async def work() -> None:
            self._awaited = None
            self._released.set()

        self._run(work())

    def cut(self) -> None:
        """Ends all connections and every later one, as if the model server were gone."""
        self._run(self._abort(accepting=False))

    def turn_to(self, target_port: int) -> None:
        """Ends all connections; later ones lead to that port."""
        self._target_port = target_port
        self._run(self._abort(accepting=True))

    async def serve(self, started: threading.Event) -> None:
        """Runs until the thread's loop stops."""
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        server = await asyncio.start_server(self._pair, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._end.wait()
        server.close()

    def stop(self) -> None:
        """Ends everything."""
        self.release()
        self.cut()
        self._loop.call_soon_threadsafe(self._end.set)

    def _run(self, work) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _abort(self, accepting: bool) -> None:
        self._accepting = accepting
        for writer in self._writers:
            writer.transport.abort()

    async def _pair(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if self._accepting:
            with suppress(OSError):
                away_reader, away_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
                self._writers.add(away_writer)
                await asyncio.gather(self._pump(reader, away_writer, True), self._pump(away_reader, writer, False))
                self._writers.discard(away_writer)
        writer.transport.abort()
        self._writers.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, from_gateway: bool) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if from_gateway and self._awaited is not None and self._awaited in data:
                    self.held.set()
                    await self._released.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@contextmanager
def relay(target_port: int) -> Iterator[Relay]:
    """A relay to that port of this machine, listening on a free port of its own."""
    it = Relay(target_port)
    started = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(it.serve(started)))
    thread.start()
    started.wait()
    try:
        yield it
    finally:
        it.stop()
        thread.join()
