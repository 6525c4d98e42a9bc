"""W3C trace context: the header `traceparent`, taken from the caller and sent on with a span of ours."""

import os
import re
from dataclasses import dataclass

HEADER = "traceparent"

# https://www.w3.org/TR/trace-context/#traceparent-header: version, trace id, span id, flags. Versions after 00 may
# append more; what stands before it is read as in 00.
_FIELDS = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NOT_SAMPLED = "00"


@dataclass(frozen=True, slots=True)
class TraceParent:
    """One span of a trace, as the header names it."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""
    flags: str
    """2 hexadecimal digits; the lowest bit says that the trace is recorded."""

    @classmethod
    def read(cls, header: str) -> "TraceParent | None":
        """The caller's span; None if the header is missing or wrong, so that the trace begins here."""
        if not (found := _FIELDS.fullmatch(header)):
            return None
        version, trace_id, span_id, flags, more = found.groups()
        is_wrong = version == "ff" or (version == "00" and more)
        if is_wrong or not trace_id.strip("0") or not span_id.strip("0"):
            return None
        return cls(trace_id, span_id, flags)

    @classmethod
    def new(cls) -> "TraceParent":
        """The first span of a trace that nobody records."""
        return cls(os.urandom(16).hex(), os.urandom(8).hex(), _NOT_SAMPLED)

    def child(self) -> "TraceParent":
        """A span of ours below this one. Whether the trace is recorded stays as the caller said."""
        return TraceParent(self.trace_id, os.urandom(8).hex(), self.flags)

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"
