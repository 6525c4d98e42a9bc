"""One route of the gateway: where it is, what answers it, and what its documentation says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp.typedefs import Handler

from gateway.errors import GatewayError

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one HTTP status means."""

    text: str
    kinds: tuple[Any, ...] = ()
    """The types that the JSON may have; empty if the answer is not JSON."""
    media_type: str = JSON
    """Empty if there is no content."""
    examples: Mapping[str, msgspec.Struct] = field(default_factory=dict)
    """By what they show."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path."""

    method: str
    path: str
    handler: Handler
    name: str
    """Unique; client generators make function names of it."""
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    """By HTTP status; the errors are listed in `errors`."""
    text: str = ""
    body: Any = None
    """Type of the JSON body."""
    body_examples: Mapping[str, msgspec.Struct] = field(default_factory=dict)
    queries: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    """Type and meaning of each query parameter."""
    path_text: str = ""
    """Meaning of the path's parameter, if it has one."""
    errors: tuple[type[GatewayError], ...] = ()
    """The errors of this route; those that every route can answer with are left out."""
    is_timed: bool = False
    """Whether `X-Request-Timeout` limits it."""
    is_open: bool = False
    """Whether it answers without an API key, where other routes want one."""
    is_probed: bool = False
    """Whether machines ask it every few seconds: its successes are logged at level debug only."""
