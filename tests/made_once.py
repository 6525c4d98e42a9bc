"""What is made once for all processes of a test run, such as a trained classifier."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


class MadeOnce:
    """Directories that all processes of a test run share. The first that asks for one makes it; nobody changes it."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        base = factory.getbasetemp()
        # Under pytest-xdist every worker has a folder of its own in that of the run.
        self._folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def __call__(self, name: str, make: Callable[[Path], object]) -> Path:
        directory, part = self._folder / f"shared-{name}", self._folder / f"unfinished-{name}"
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not directory.exists():
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir()
                make(part)
                part.rename(directory)
        return directory
