"""Runs model server and gateway as one: both start, both stop, the gateway first and the model server last."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress

from serving_config.client import Client
from serving_config.errors import StartError

POLL_SECONDS = 0.2
"""Between two questions whether the service is ready."""
SAY_SECONDS = 10.0
"""Without a line about what is waited for."""


class Supervisor:
    """The two processes. They write to this process's terminal; `say` gets the supervisor's own lines."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._running: dict[str, Process] = {}
        self._stop = asyncio.Event()

    async def run(self, commands: dict[str, tuple[list[str], dict[str, str]]], started: "Started") -> None:
        """Starts the commands in their order, waits for SIGINT, SIGTERM or SIGHUP, and stops them in reverse order.

        `commands` holds for each name a command line, and the variables to add to its environment.

        Raises:
            StartError: a process cannot be started or ended by itself, or `started` raised it. The others are stopped.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)
        try:
            for name, (command, environment) in commands.items():
                try:
                    # In groups of their own: Ctrl-C in the terminal must not reach the model server before the gateway.
                    self._running[name] = await asyncio.create_subprocess_exec(
                        *command, env={**os.environ, **environment}, process_group=0
                    )
                except OSError as error:
                    raise StartError(f"the {name} cannot be started: {command[0]}: {error.strerror}") from None
            await self._until_stopped(asyncio.create_task(started.run()))
        finally:
            await self._stop_all()

    def _on_signal(self) -> None:
        if self._stop.is_set():
            # Asked a second time: whoever asks does not want to wait any more.
            for process in self._running.values():
                with suppress(ProcessLookupError):
                    process.kill()
        self._stop.set()

    async def _until_stopped(self, started: "asyncio.Task[None]") -> None:
        ends = {asyncio.create_task(process.wait()): name for name, process in self._running.items()}
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((stop, started, *ends), return_when=asyncio.FIRST_COMPLETED)
            if started.done() and not stop.done():
                started.result()
                await asyncio.wait((stop, *ends), return_when=asyncio.FIRST_COMPLETED)
            for end, name in ends.items():
                if end.done() and not stop.done():
                    raise StartError(f"the {name} ended by itself with status {end.result()}; its last lines say why")
        finally:
            for task in (stop, started, *ends):
                task.cancel()

    async def _stop_all(self) -> None:
        for name, process in reversed(self._running.items()):
            if process.returncode is None:
                self._say(f"stopping the {name}")
                with suppress(ProcessLookupError):
                    process.terminate()
                # No time limit: each bounds its own end, and a second signal to this process kills them.
                await process.wait()


class Started:
    """Waits until the service is ready, says where it is, and sends the example if that was asked for."""

    def __init__(self, client: Client, say: Callable[[str], None], wait_seconds: float, example: bool) -> None:
        self._client = client
        self._say = say
        self._wait_seconds = wait_seconds
        self._example = example

    async def run(self) -> None:
        """Returns once the last line is said.

        Raises:
            StartError: not ready in time, or the example was not answered.
        """
        await self._until_ready()
        address = f"http://{self._client.address}"
        self._say(f"ready: try it on the page at {address}/ or read about the API at {address}/docs")
        if self._example:
            try:
                request, answer = await asyncio.to_thread(self._client.example)
            except OSError as error:
                raise StartError(f"the example request failed: {error}; see the lines above") from error
            self._say(f"an example:\n$ {request}\n{answer}")
        self._say("Ctrl-C stops both")

    async def _until_ready(self) -> None:
        clock = asyncio.get_running_loop().time
        begin = said_at = clock()
        while reason := await asyncio.to_thread(self._client.why_not_ready):
            now = clock()
            if now - begin > self._wait_seconds:
                raise StartError(f"not ready after {self._wait_seconds:.0f} s: {reason}")
            if now - said_at > SAY_SECONDS:
                self._say(f"waiting ({now - begin:.0f} s): {reason}")
                said_at = now
            await asyncio.sleep(POLL_SECONDS)
