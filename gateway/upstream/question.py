"""What is asked beside the text itself: which version of the model answers, and what is known of the dialogue."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """The version, or the version label, that the client named; or neither.

    Neither means the gateway's default: the version that `GATEWAY_MODEL_LABEL` points at, else the newest one. The
    default is not written in here, because a missing version is the client's error only if the client named it.
    """

    version: int | None = None
    label: str | None = None


DEFAULT = Target()
"""The client named nothing."""

UNKNOWN = "unknown"
ROLES = ("student", "teacher", UNKNOWN)
"""What a client may say about who speaks."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What is known around one text. The model's signature `dialogue` takes it; what is not known is empty."""

    role: str = ""
    """`student`, `teacher` or empty."""
    previous: str = ""
    """The text of the turn before."""


NOTHING = Dialogue()
"""Nothing is known. The signature `serving_default` answers the same then, with less work."""
