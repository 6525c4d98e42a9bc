"""Runs `python -m intent_client` as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT

# A hang guard.
SECONDS = 120


def environment(**variables: str) -> dict[str, str]:
    """In which Python finds the client, installed or not."""
    return os.environ | {"PYTHONPATH": str(ROOT / "client")} | variables


def command(*words: str | Path) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "intent_client", *map(str, words)]


def run(*words: str | Path, stdin: bytes = b"", **variables: str) -> "subprocess.CompletedProcess[str]":
    """Runs to the end; `variables` are added to the environment."""
    done = subprocess.run(
        command(*words),
        cwd=ROOT,
        env=environment(**variables),
        input=stdin,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def start(
    *words: str | Path, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE
) -> "subprocess.Popen[str]":
    """Starts it; what it says is kept unless sent elsewhere."""
    return subprocess.Popen(
        command(*words),
        cwd=ROOT,
        env=environment(),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Waits for its end: exit status and standard error."""
    _, err = process.communicate(timeout=SECONDS)
    assert "Traceback" not in err, err
    return process.returncode, err
