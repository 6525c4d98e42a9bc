"""What is known around an utterance, as the model's signature `dialogue` reads it: who spoke, and what came before."""

from dataclasses import dataclass

UNKNOWN = "unknown"
ROLES = ("student", "teacher", UNKNOWN)
"""What a client may say about who speaks."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Around one text, in the model's words: what is not known is empty."""

    role: str = ""
    """`student`, `teacher` or empty."""
    previous: str = ""
    """The text of the turn before."""


NOTHING = Dialogue()
"""Nothing is known: the signature `serving_default` says the same, for less."""
