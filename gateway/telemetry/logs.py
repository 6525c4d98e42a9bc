"""The log: a line each on stderr, as text or as JSON, with the request that it belongs to."""

import json
import logging
import os
import re
import time
from functools import lru_cache
from typing import Any

import msgspec

from gateway.settings.settings import Settings
from gateway.telemetry.context import CONTEXT

# What needs no quotes.
_PLAIN = re.compile(r"[!#-<>-~]+")


class TextFormatter(logging.Formatter):
    """`time LEVEL logger: message name=value ...`, and a traceback on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        values = _values(record)
        pairs = " ".join([f"{name}={_text(value)}" for name, value in values.items()])
        message = record.getMessage()
        if not message.isprintable():
            # A line break that a client sent must not look like a line of ours.
            message = message.encode("unicode_escape").decode()
        line = f"{_time(record)} {record.levelname} {record.name}: {message} {pairs}".rstrip()
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(logging.Formatter):
    """One object a line: time (RFC 3339), level, logger, message, what is known of the request, the exception."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_values(record),
        }
        if record.exc_info and record.exc_info[0]:
            kind, error, _ = record.exc_info
            line["exception"] = {
                "type": kind.__name__,
                "message": str(error),
                "traceback": self.formatException(record.exc_info),
            }
        try:
            return msgspec.json.encode(line).decode()
        except UnicodeEncodeError:
            # Half a surrogate pair: no UTF-8, but JSON has an escape for it.
            return json.dumps(line)


def configure(settings: Settings) -> None:
    """Sets up the log of this process; call it once, before anything is logged."""
    handler = logging.StreamHandler()
    if settings.log_format == "json":
        handler.setFormatter(JsonFormatter())
        # gRPC's core writes lines of its own to stderr, which are no JSON. Must be set before it is imported.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    else:
        handler.setFormatter(TextFormatter())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    # Nobody reads thread, process and source line, and each costs a call a record:
    # https://docs.python.org/3.11/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    # Whoever speaks no HTTP is answered with 400; a traceback each would fill the log. The application logs its own.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


def _values(record: logging.LogRecord) -> dict[str, Any]:
    """The record's own values, given as `extra={"values": {...}}`, and the ids of the request."""
    values: dict[str, Any] = dict(getattr(record, "values", ()))
    if context := CONTEXT.get():
        values["request_id"] = context.request_id
        values["trace_id"] = context.traceparent[3:35]
    return values


def _time(record: logging.LogRecord) -> str:
    return f"{_second(int(record.created))}.{int(record.msecs):03d}Z"


# Under load hundreds of lines are of the same second.
@lru_cache(1)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _text(value: object) -> str:
    if isinstance(value, (int, float)) or (isinstance(value, str) and _PLAIN.fullmatch(value)):
        return str(value)
    return json.dumps(value)
