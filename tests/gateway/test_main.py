"""`python -m gateway` as a person runs it: help, settings, exit statuses."""

import os
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

from gateway.api_keys.key import ApiKey, digest
from tests.gateway.running import gateway
from tests.servers import ROOT, free_port


def _run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gateway", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)


def test_help_tells_options_exit_statuses_and_settings() -> None:
    ended = _run("--help")
    assert ended.returncode == 0
    for word in ("--config FILE", "--workers N", "--print-config", "exit status:", "  GATEWAY_PORT=5000\n"):
        assert word in ended.stdout


def test_a_wrong_setting_stops_the_start_with_status_2_and_one_line() -> None:
    ended = _run(GATEWAY_PORT="http")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "gateway: GATEWAY_PORT=http is not a whole number; the default is 5000\n"


def test_contradictory_settings_stop_the_start_with_status_2_and_one_line() -> None:
    ended = _run(GATEWAY_KEEP_ALIVE_SECONDS="30")
    assert ended.returncode == 2
    assert ended.stderr.startswith("gateway: GATEWAY_KEEP_ALIVE_SECONDS=30.0 is not above ")
    assert ended.stderr.count("\n") == 1


def test_a_wrong_command_line_has_status_2() -> None:
    assert _run("--workers", "many").returncode == 2
    ended = _run("--workers", "0")
    assert (ended.returncode, ended.stderr) == (2, "gateway: --workers=0 is out of range; use 1 to 64\n")


def test_print_config_tells_what_environment_file_and_command_line_make(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("port = 1\ntop_k = 7\n")
    ended = _run(f"--config={file}", "--workers=3", "--print-config", GATEWAY_PORT="2")
    assert (ended.returncode, ended.stderr) == (0, "")
    settings = tomllib.loads(ended.stdout)
    assert (settings["port"], settings["top_k"], settings["workers"]) == (2, 7, 3)


def test_print_config_names_the_file_of_keys_but_shows_none(tmp_path: Path) -> None:
    file = tmp_path / "keys.txt"
    file.write_text(f"{ApiKey('mobile-app', digest('the secret'))}\n")
    ended = _run("--print-config", GATEWAY_KEYS_FILE=str(file))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert str(file) in ended.stdout
    assert "mobile-app" not in ended.stdout
    assert digest("the secret") not in ended.stdout


def test_a_file_sets_up_the_gateway(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('model_name = "from the file"\n')
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", f"--config={file}"],
        cwd=ROOT,
        env={**os.environ, "GATEWAY_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    assert f"http://127.0.0.1:{port} for model from the file at " in process.stderr.readline()
    # Ctrl-C: nobody waits for a load balancer.
    process.send_signal(2)
    process.communicate()
    assert process.returncode == 0


def test_a_taken_port_is_said_in_one_line() -> None:
    port = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        ended = _run(GATEWAY_HOST="127.0.0.1", GATEWAY_PORT=str(port))
    assert ended.returncode == 1
    assert ended.stderr == (
        f"gateway: port {port} of 127.0.0.1 cannot be used: Address already in use; choose another with GATEWAY_HOST "
        "and GATEWAY_PORT\n"
    )


def test_an_unknown_host_is_said_in_one_line() -> None:
    ended = _run(GATEWAY_HOST="256.0.0.1")
    assert ended.returncode == 1
    assert ended.stderr.startswith("gateway: port 5000 of 256.0.0.1 cannot be used: ")


def test_it_starts_again_on_the_port_that_it_has_just_left() -> None:
    with gateway(model_server="127.0.0.1:1") as running:
        # The gateway closes first, so its side of the connection keeps the port for a minute.
        running.get("/status")
        port = running.port
    with gateway(model_server="127.0.0.1:1", port=port) as running:
        assert running.get("/status").status == 200
