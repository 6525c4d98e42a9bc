"""The directory of a model's versions.

The model server loads a version as soon as a directory's name is a number, and does not try again if that fails. So a
version is written under another name, and renamed when it is complete.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from export.errors import ModelsDirectoryError

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Version:
    """A published version."""

    number: int
    path: Path


def published(models: Path) -> list[Version]:
    """The versions in a directory, lowest first; none where the directory does not exist yet."""
    if not models.is_dir():
        return []
    found = (Version(int(path.name), path) for path in models.iterdir() if _NUMBER.fullmatch(path.name))
    return sorted(found, key=lambda version: version.number)


@contextmanager
def unpublished(models: Path) -> Iterator[Path]:
    """An empty directory beside the versions, which no model server looks at; gone at the end, unless published.

    Raises:
        ModelsDirectoryError: `models` cannot be written to.
    """
    try:
        models.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=models, prefix=".unpublished-"))
    except OSError as error:
        raise ModelsDirectoryError(f"cannot write to {models}: {error.strerror}") from error
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def publish(part: Path, models: Path) -> Version:
    """Renames a complete directory to the next number. Two publishers at the same time get two numbers."""
    # mkdtemp makes directories that only their owner can read, but the model server often runs as another user.
    part.chmod(0o755)
    while True:
        existing = published(models)
        number = existing[-1].number + 1 if existing else 1
        version = Version(number, models / str(number))
        try:
            # Fails if the directory exists by now: a non-empty directory is never replaced.
            part.rename(version.path)
        except OSError:
            if not version.path.exists():
                raise
        else:
            return version
