"""What is known of one HTTP request: its id, its trace, its caller, and what its log line and metrics will say."""

import time
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class RequestContext:
    """One per request. `request_log` makes it; logs, metrics and calls to the model server read it."""

    request_id: str
    """Taken from `X-Request-Id`, or made."""
    traceparent: str
    """W3C trace context to send on: the caller's trace with a span of ours, or a new trace."""
    caller: str = ""
    """Name of the API key; empty where none is wanted."""
    started: float = field(default_factory=time.perf_counter)
    """When the gateway began to work on it, in seconds of `time.perf_counter`."""
    queue_seconds: float = 0.0
    """Time in the gateway's own queue."""
    model_seconds: float = 0.0
    """Time of the call to the model server."""
    version: int | None = None
    """The model version that answered."""
    intents: list[str | None] = field(default_factory=list)
    """What was answered, a name a text; None where the gateway abstained."""
    code: str = ""
    """Code of the problem that it was answered with."""
    texts: tuple[str, ...] = ()
    """The utterances, for the log; empty unless `GATEWAY_LOG_TEXTS` asks for them."""

    def parts(self, seconds: float) -> dict[str, float]:
        """Where these seconds since the start of the request went."""
        own = max(0.0, seconds - self.queue_seconds - self.model_seconds)
        return {"queue": self.queue_seconds, "model": self.model_seconds, "gateway": own}


CONTEXT: ContextVar[RequestContext | None] = ContextVar("request", default=None)
"""The context of the request that this task works on; None outside of requests."""


def milliseconds(seconds: float) -> float:
    """As answers and log lines show a duration."""
    return round(seconds * 1000, 3)
