"""A small AWS endpoint on loopback that writes down what it is asked, for calls that moto does not know."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl

INSTANCE = "i-0123456789abcdef0"


@dataclass
class RecordedAws:
    """Answers every action of the query protocol, and is the metadata service too."""

    address: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    """The parameters of every call, in order."""
    target_states: list[str] = field(default_factory=lambda: ["healthy"])
    """What DescribeTargetHealth says, one after the other; the last one for ever."""
    refusals: dict[str, list[str]] = field(default_factory=dict)
    """By action: the messages of the errors that come before the first success."""

    def answer(self, parameters: dict[str, str]) -> tuple[int, str]:
        """Status and XML."""
        self.asked.append(parameters)
        action = parameters["Action"]
        if self.refusals.get(action):
            message = self.refusals[action].pop(0)
            return (
                400,
                f"<ErrorResponse><Error><Code>ValidationError</Code><Message>{message}</Message></Error></ErrorResponse>",
            )
        result = ""
        if action == "DescribeTargetHealth":
            state = self.target_states.pop(0) if len(self.target_states) > 1 else self.target_states[0]
            health = f"<TargetHealth><State>{state}</State></TargetHealth>"
            result = f"<TargetHealthDescriptions><member>{health}</member></TargetHealthDescriptions>"
        return 200, f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"

    def told(self) -> list[str]:
        """What was said to those who wait, in order."""
        names = ("LifecycleActionResult", "Status")
        return [each[name] for each in self.asked for name in names if name in each]


@contextmanager
def recorded_aws() -> Iterator[RecordedAws]:
    """Running until the end of the block."""
    aws = RecordedAws()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self._send(*aws.answer(dict(parse_qsl(self.rfile.read(length).decode()))))

        def do_PUT(self) -> None:
            self._send(200, "token")

        def do_GET(self) -> None:
            known = self.headers["X-aws-ec2-metadata-token"] == "token" and self.path.endswith("/instance-id")
            self._send(200 if known else 404, INSTANCE)

        def _send(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Not to the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    aws.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
