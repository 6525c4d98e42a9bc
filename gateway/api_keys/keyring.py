"""All API keys of a file, read again whenever the file changes."""

import hmac
import logging
import time
from pathlib import Path

from gateway.api_keys.key import ApiKey, digest
from gateway.errors import SettingsError

CHECK_SECONDS = 1.0
"""A changed file is noticed by the first request after this time."""

_LOG = logging.getLogger(__name__)

_Signature = tuple[int, int, int] | None


class Keyring:
    """The keys that may call now. A file that breaks later changes nothing: who could call still can."""

    def __init__(self, path: Path) -> None:
        """Reads the file.

        Raises:
            SettingsError: it cannot be read, or is wrong; the text names the line.
        """
        self._path = path
        self._signature = _signature(path)
        self._checked = time.monotonic()
        self._keys = read_keys(path)

    def find(self, secret: str) -> ApiKey | None:
        """The key with this secret, if the file has it."""
        self._refresh()
        asked = digest(secret).encode()
        found = None
        # To the end, whether found or not, so that the time tells nothing about which one fits how well.
        for each in self._keys:
            if hmac.compare_digest(asked, each.sha256.encode()):
                found = each
        return found

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._checked < CHECK_SECONDS:
            return
        self._checked = now
        signature = _signature(self._path)
        if signature == self._signature:
            return
        self._signature = signature
        try:
            self._keys = read_keys(self._path)
        except SettingsError as error:
            _LOG.error("the changed file of API keys is not used, the keys of before stay: %s", error)
        else:
            _LOG.info("read the changed file of API keys: %s", ", ".join(each.name for each in self._keys))


def read_keys(path: Path) -> list[ApiKey]:
    """The keys of a file: one a line; empty lines and lines that begin with # are left out.

    Raises:
        SettingsError: it cannot be read, a line is wrong, a name or key is there twice, or there is no key.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is no text file in UTF-8") from None
    keys: list[ApiKey] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            key = ApiKey.read(line)
        except SettingsError as error:
            raise SettingsError(f"{path} line {number}: {error}") from None
        if any(key.name == other.name or key.sha256 == other.sha256 for other in keys):
            raise SettingsError(f"{path} line {number}: this name or hash is there already; remove one of the two")
        keys.append(key)
    if not keys:
        raise SettingsError(f"{path} has no key, so nobody could call; python -m gateway.api_keys NAME >> {path}")
    return keys


def _signature(path: Path) -> _Signature:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
