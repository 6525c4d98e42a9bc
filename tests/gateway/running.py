"""Starts the gateway as a process of its own, and talks to it."""

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.servers import ROOT, stop


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and detail of a problem document."""
        assert self.headers["Content-Type"] == "application/problem+json"
        assert self.json["status"] == self.status
        assert self.json["type"] == f"/docs#{self.json['code']}"
        return self.status, self.json["code"], self.json["detail"]


@dataclass
class Gateway:
    """A gateway that listens."""

    process: "subprocess.Popen[str]"
    port: int
    log: list[str] = field(default_factory=list)
    """What it wrote to stderr, a line each."""
    _more: threading.Condition = field(default_factory=threading.Condition)
    _is_whole: bool = False

    def read_log(self) -> None:
        """Reads until the gateway ends, else it would block on a full pipe."""
        for line in self.process.stderr:
            with self._more:
                self.log.append(line)
                self._more.notify_all()
        with self._more:
            self._is_whole = True
            self._more.notify_all()

    def wait_for(self, pattern: str, times: int = 1) -> re.Match[str]:
        """Returns when so many lines of the log match; fails if the log ends before."""
        with self._more:
            while len(found := [match for line in self.log if (match := re.search(pattern, line))]) < times:
                assert not self._is_whole, "".join(self.log)
                self._more.wait()
            return found[-1]

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request on a connection of its own. `_` in a header's name stands for `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        return self.send("GET", path)

    def post(self, body: bytes | str) -> Reply:
        """POST /predict with this body, said to be JSON."""
        return self.send("POST", "/predict", body, Content_Type="application/json")

    def predict(self, text: str) -> Reply:
        """POST /predict with this text."""
        return self.post(json.dumps({"text": text}))


@contextmanager
def gateway(**settings: object) -> Iterator[Gateway]:
    """`python -m gateway` on a free port of loopback, with these settings (names as in `Settings`).

    SIGTERM ends it without the load balancer's window, unless the test sets one.
    """
    variables = {"host": "127.0.0.1", "port": 0, "load_balancer_window_seconds": 0, **settings}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    environment |= {f"GATEWAY_{name.upper()}": str(value) for name, value in variables.items()}
    command = [sys.executable, "-m", "gateway"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    it = Gateway(process, 0)
    for line in process.stderr:
        it.log.append(line)
        if found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", line):
            it.port = int(found[1])
            break
    else:
        raise AssertionError(f"the gateway ended: {it.log}")
    reader = threading.Thread(target=it.read_log)
    reader.start()
    try:
        yield it
    finally:
        if process.poll() is None:
            stop(process)
        reader.join()
