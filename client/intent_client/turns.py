"""What is asked about: a text, and what is known around it."""

from typing import Literal, get_args

import msgspec

Role = Literal["student", "teacher", "unknown"]
"""Who speaks: who cooks or builds, who guides, or nobody knows."""
ROLES: tuple[Role, ...] = get_args(Role)


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text in a dialogue, as the gateway takes it; what is None is not sent."""

    text: str
    role: Role | None = None
    """Who said it."""
    previous: str | None = None
    """What was said right before; empty: unknown."""
