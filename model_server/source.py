"""Looks on disk for the versions of every configured model and says which are wanted (aspired).

One look covers all models: if one base path is missing the whole look is dropped, so that what is loaded stays
loaded, as in the stock server.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from model_server.config import Choice, ModelConfig, VersionPolicy

_log = logging.getLogger(__name__)

# A name that the stock server's number parser takes for an int64: blanks around, a sign and leading zeros are fine.
_NUMBER = re.compile(r"\s*([+-]?[0-9]+)\s*", re.ASCII)
_INT64 = range(-(2**63), 2**63)

Aspired = Mapping[int, Path]


class MissingBasePath(Exception):  # noqa: N818 - a step of the look, caught in this module
    """A configured base path is not there."""


def versions_on_disk(base_path: Path) -> dict[int, Path]:
    """Every child whose name is a number, whatever it is and holds; of `7` and `007` the last by name.

    Raises:
        MissingBasePath: there is no such directory.
    """
    try:
        names = sorted(os.listdir(base_path))  # noqa: PTH208 - names are all that counts, and they are compared as text
    except OSError as error:
        raise MissingBasePath(str(base_path)) from error
    found: dict[int, Path] = {}
    for name in names:
        if (match := _NUMBER.fullmatch(name)) and (number := int(match[1])) in _INT64:
            if number in found:
                _log.warning("Duplicate version directories of %d under %s: %s is used", number, base_path, name)
            found[number] = base_path / name
    return found


def aspired(model: ModelConfig) -> Aspired:
    """The versions that this model's policy wants, with their directories.

    Raises:
        MissingBasePath: see `versions_on_disk`.
    """
    found = versions_on_disk(model.base_path)
    if not found:
        _log.warning(
            "No versions of servable %s found under base path %s. "
            "Did you forget to name your leaf directory as a number (eg. '/1/')?",
            model.name,
            model.base_path,
        )
    wanted = _chosen(model.policy, sorted(found))
    for version in wanted:
        if version not in found:
            _log.warning("Version %d of servable %s is requested but not on disk", version, model.name)
    return {version: found[version] for version in wanted if version in found}


def _chosen(policy: VersionPolicy, versions: Sequence[int]) -> Sequence[int]:
    if policy.choice is Choice.SPECIFIC:
        return policy.versions
    return versions if policy.choice is Choice.ALL else versions[-policy.count :]


class Source:
    """Polls the file system in a thread of its own and hands each model's aspired versions on."""

    def __init__(self, poll_seconds: int, aspire: Callable[[str, Aspired], None]) -> None:
        """`poll_seconds` 0 looks only once; negative never looks. `aspire` gets model and versions."""
        self._poll_seconds = poll_seconds
        self._aspire = aspire
        self._models: tuple[ModelConfig, ...] = ()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._poll, name="source", daemon=True)

    def configure(self, models: Sequence[ModelConfig]) -> None:
        """Replaces the models; those no longer among them lose all their versions at once.

        The first call starts to look, in the thread.
        """
        with self._lock:
            kept = {model.name for model in models}
            removed = [model.name for model in self._models if model.name not in kept]
            self._models = tuple(models)
            for name in removed:
                self._aspire(name, {})
            if not self._thread.ident:
                self._thread.start()

    def _poll(self) -> None:
        if self._poll_seconds < 0:
            return
        self._look()
        while self._poll_seconds:
            time.sleep(self._poll_seconds)
            self._look()

    def _look(self) -> None:
        with self._lock:
            found: dict[str, Aspired] = {}
            for model in self._models:
                try:
                    found[model.name] = aspired(model)
                except MissingBasePath:
                    _log.error(
                        "FileSystemStoragePathSource encountered a filesystem access error: Could not find base path "
                        "%s for servable %s with error NOT_FOUND: %s not found",
                        model.base_path,
                        model.name,
                        model.base_path,
                    )
                    return
            for name, versions in found.items():
                self._aspire(name, versions)
