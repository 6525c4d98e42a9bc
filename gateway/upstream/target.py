"""Which version of the model a request is for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """What the client named: a version, a version label, or neither.

    Neither means the gateway's default: the version that `GATEWAY_MODEL_LABEL` points at, else the newest one. Give it
    only what the client named: a missing version that the client named is its error, a missing default is not.
    """

    version: int | None = None
    label: str | None = None


DEFAULT = Target()
"""The client named nothing."""
