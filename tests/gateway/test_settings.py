"""The gateway's settings: defaults, what stops the start, and what --help tells."""

import os
import socket
import subprocess
import sys

import pytest

from gateway.errors import SettingsError
from gateway.settings import Settings
from tests.servers import ROOT, free_port


def test_defaults_are_the_contract() -> None:
    settings = Settings.from_environment({"PATH": "/bin"})
    assert (settings.port, settings.model_server, settings.model_name) == (5000, "127.0.0.1:8500", "intent")


def test_variables_replace_defaults() -> None:
    settings = Settings.from_environment({"GATEWAY_PORT": "0", "GATEWAY_DEADLINE_SECONDS": "0.5"})
    assert (settings.port, settings.deadline_seconds) == (0, 0.5)
    assert settings.max_body_bytes == Settings().max_body_bytes


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("GATEWAY_PROT", "1", "GATEWAY_PROT is no setting of the gateway; did you mean GATEWAY_PORT?"),
        ("GATEWAY_ZZZ", "1", "GATEWAY_ZZZ is no setting of the gateway; python -m gateway --help lists them"),
        ("GATEWAY_PORT", "http", "GATEWAY_PORT=http is not a whole number; the default is 5000"),
        ("GATEWAY_PORT", "80.5", "GATEWAY_PORT=80.5 is not a whole number; the default is 5000"),
        ("GATEWAY_PORT", "65536", "GATEWAY_PORT=65536 is out of range; use 0 to 65535"),
        ("GATEWAY_PORT", "-1", "GATEWAY_PORT=-1 is out of range; use 0 to 65535"),
        ("GATEWAY_PORT", "", "GATEWAY_PORT= is not a whole number; the default is 5000"),
        ("GATEWAY_DEADLINE_SECONDS", "0", "GATEWAY_DEADLINE_SECONDS=0.0 is out of range; use at least 0.001"),
        ("GATEWAY_DEADLINE_SECONDS", "nan", "GATEWAY_DEADLINE_SECONDS=nan is out of range; use at least 0.001"),
        ("GATEWAY_DEADLINE_SECONDS", "2s", "GATEWAY_DEADLINE_SECONDS=2s is not a number; the default is 2.0"),
        ("GATEWAY_MAX_BODY_BYTES", "0", "GATEWAY_MAX_BODY_BYTES=0 is out of range; use at least 1"),
        ("GATEWAY_MODEL_NAME", " ", "GATEWAY_MODEL_NAME is empty; unset it for the default 'intent'"),
        (
            "GATEWAY_MODEL_SERVER",
            "localhost",
            "GATEWAY_MODEL_SERVER=localhost is not host:port; use one like 127.0.0.1:8500",
        ),
        (
            "GATEWAY_MODEL_SERVER",
            "localhost:x",
            "GATEWAY_MODEL_SERVER=localhost:x is not host:port; use one like 127.0.0.1:8500",
        ),
        (
            "GATEWAY_DRAIN_SECONDS",
            "1",
            "GATEWAY_DRAIN_SECONDS=1.0 is below GATEWAY_DEADLINE_SECONDS=2.0, so a stop would cut requests that are "
            "still in time; raise the first or lower the second",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({name: value})
    assert str(caught.value) == message


def _run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gateway", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)


def test_a_wrong_setting_stops_the_start_with_status_2() -> None:
    ended = _run(GATEWAY_PORT="http")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "gateway: GATEWAY_PORT=http is not a whole number; the default is 5000\n"


def test_help_lists_every_setting_with_its_default() -> None:
    ended = _run("--help")
    assert ended.returncode == 0
    for name, default in (("PORT", 5000), ("MODEL_SERVER", "127.0.0.1:8500"), ("MAX_TEXT_CHARACTERS", 4096)):
        line = next(line for line in ended.stdout.splitlines() if line.startswith(f"  GATEWAY_{name} "))
        assert line.endswith(f"(default: {default})")


def test_a_taken_port_is_said_in_one_line() -> None:
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        ended = _run(GATEWAY_HOST="127.0.0.1", GATEWAY_PORT=str(port))
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last == (
        f"gateway: error while attempting to bind on address ('127.0.0.1', {port}): address already in use; "
        "choose another with GATEWAY_HOST and GATEWAY_PORT"
    )
    assert "Traceback" not in ended.stderr
