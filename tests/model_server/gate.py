"""Requests that run until an event, whatever the speed of the machine: the toy's signature `held`.

The event is a matter of the file system, so client and server must be on one machine.
"""

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import grpc

from tests.model_server.client import CALL_SECONDS, Client, predict_request

# How much is read at a time, in bytes.
PIECE = 2**20


class Gate:
    """Holds one run: it writes more into a named pipe than a pipe can hold, so it waits until the pipe is read.

    As a context manager it opens at the end, if not before: a server does not stop while something runs.

    Attributes:
        path: what the run's input `pipe` must be.
    """

    def __init__(self, path: Path) -> None:
        """`path` must not exist."""
        os.mkfifo(path)
        self.path = path
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def wait(self) -> None:
        """Returns when the run has come."""
        readable, _, _ = select.select([self._end], [], [], CALL_SECONDS)
        assert readable, f"no run has come to {self.path}"

    def open(self) -> None:
        """Lets the run go, which must have come."""
        os.set_blocking(self._end, True)
        while os.read(self._end, PIECE):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.open()
        os.close(self._end)


class Running:
    """A request that is being answered."""

    def __init__(self, call: grpc.Future, gate: Gate) -> None:
        self.call = call
        self._gate = gate

    def finish(self) -> None:
        """Lets it go; until then it must not have ended, and then it must be answered rightly."""
        assert not self.call.done()
        self._gate.open()
        assert self.call.result().outputs["length"].int_val == [len(str(self._gate.path))]


@contextmanager
def running(client: Client, pipe: Path, **spec: Any) -> Iterator[Running]:
    """A Predict request that has begun to run; the path `pipe` must not exist, `spec` is as in `predict_request`."""
    with Gate(pipe) as gate:
        call = client.start_predict(predict_request({"pipe": str(pipe)}, signature_name="held", **spec))
        gate.wait()
        yield Running(call, gate)
