"""The moment by which a request must be answered."""

import time
from dataclasses import dataclass

from gateway.errors import DeadlineExceededError, InvalidHeaderError
from gateway.settings.settings import Settings

HEADER = "X-Request-Timeout"
_MAX_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Deadline:
    """One per request: every call made for it gets what is left, so that their sum keeps within the limit."""

    at: float
    """Seconds on the monotonic clock."""

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    @classmethod
    def asked(cls, header: str | None, settings: Settings) -> "Deadline":
        """The deadline that `X-Request-Timeout` asks for, in whole milliseconds; None: the gateway's own.

        Raises:
            InvalidHeaderError: it is no whole number of at least 1.
        """
        if header is None:
            return cls.after(settings.deadline_seconds)
        if not (header.isascii() and header.isdigit() and header.strip("0")):
            raise InvalidHeaderError("X-Request-Timeout is no whole number of milliseconds; send one of 1 or more")
        # int() refuses thousands of digits.
        seconds = int(header) / 1000 if len(header) < _MAX_DIGITS else settings.max_deadline_seconds
        return cls.after(min(seconds, settings.max_deadline_seconds))

    def remaining(self) -> float:
        """The seconds that are left, always above zero.

        Raises:
            DeadlineExceededError: none are left; nothing more should be sent for this request.
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise DeadlineExceededError("the time for this request ran out; try again later")
        return left
