"""One API key as the gateway keeps it: a name, a hash, a rate; and its line in the file."""

import hashlib
import math
import re
import secrets
from dataclasses import dataclass

from gateway.errors import SettingsError

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`name:sha256[:rate]`. Nothing in it lets anybody call.

    Raises:
        SettingsError: a part is not as described below.
    """

    name: str
    """Who calls with it, for logs and metrics: 1 to 64 of A-Z a-z 0-9 . _ -"""
    sha256: str
    """The key's hash in 64 hexadecimal digits."""
    rate: float | None = None
    """Requests a second, in bursts of at most that many; None is without limit."""

    def __post_init__(self) -> None:
        # The wrong value itself is not told: it may be a key, pasted where its hash belongs.
        if not _NAME.fullmatch(self.name):
            raise SettingsError("the name must be 1 to 64 of A-Z a-z 0-9 . _ -")
        if not _SHA256.fullmatch(self.sha256):
            raise SettingsError("the hash must be 64 hexadecimal digits; python -m gateway.api_keys NAME makes one")
        if self.rate is not None and not (self.rate > 0 and math.isfinite(self.rate)):
            raise SettingsError("the rate must be above 0 requests a second; leave it out for no limit")

    @classmethod
    def read(cls, line: str) -> "ApiKey":
        """The key that a line describes.

        Raises:
            SettingsError: the line is no `name:sha256[:rate]`.
        """
        name, _, rest = line.partition(":")
        sha256, colon, rate = rest.partition(":")
        try:
            return cls(name.strip(), sha256.strip().lower(), float(rate) if colon else None)
        except ValueError:
            raise SettingsError("the rate must be a number of requests a second; leave it out for no limit") from None

    def __str__(self) -> str:
        return f"{self.name}:{self.sha256}" + ("" if self.rate is None else f":{self.rate:g}")


def new_secret() -> str:
    """What the caller sends: 256 random bits in 43 characters."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 in hexadecimal digits.

    A slow, salted hash protects what people choose, because that can be guessed. Nobody guesses 256 random bits, so a
    fast hash is as safe, and costs a microsecond a request instead of a tenth of a second.
    """
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
