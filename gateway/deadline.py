"""The moment by which a request must be answered."""

import time
from dataclasses import dataclass

from gateway.errors import DeadlineExceededError


@dataclass(frozen=True, slots=True)
class Deadline:
    """One per request: every call made for it gets what is left, so that their sum keeps within the limit."""

    at: float
    """Seconds on the monotonic clock."""

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """The seconds that are left, always above zero.

        Raises:
            DeadlineExceededError: none are left; nothing more should be sent for this request.
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise DeadlineExceededError("the time for this request ran out; try again later")
        return left
