"""Who may call a gateway that wants API keys, and how often."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.api_keys.test_main import A, B, line
from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.running import Gateway, Reply, gateway
from tests.gateway.scraped import Scraped
from tests.servers import ROOT, ModelServer

NOBODY = "127.0.0.1:1"
"""Where no model server listens: who gets as far as there may call."""


def ask(running: Gateway, **headers: str) -> Reply:
    return running.send("POST", "/predict", '{"text": "a"}', Content_Type="application/json", **headers)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    it = tmp_path / "keys"
    it.write_text(A + B)
    return it


def test_a_known_key_may_call_and_is_named(server: ModelServer, file: Path) -> None:
    with gateway(model_server=server.address, keys_file=file, log_format="json", **PATIENT) as running:
        for headers in (
            {"Authorization": "Bearer secret of a"},
            {"Authorization": "bearer  secret of a"},
            {"X_API_Key": "secret of a"},
            {"X_API_Key": "secret of a", "Authorization": "Basic c2VjcmV0"},
        ):
            reply = ask(running, **headers)
            assert (reply.status, reply.json["intent"]) == (200, MODEL.intent("a"))
        assert ask(running, X_API_Key="secret of b").status == 200
        said = Scraped(running.get("/metrics").body)
        assert said.value("gateway_caller_requests_total", caller="a", status="200") == 4
        assert said.value("gateway_caller_requests_total", caller="b", status="200") == 1
    log = "".join(running.log)
    assert log.count('"caller":"a"') == 4
    assert "secret of" not in log


def test_nobody_else_may_call(file: Path) -> None:
    with gateway(model_server=NOBODY, keys_file=file) as running:
        for headers in (
            {},
            {"X_API_Key": ""},
            {"X_API_Key": "secret of c"},
            {"X_API_Key": A.split(":")[1].strip()},
            {"X_API_Key": "n\xe9"},
            {"Authorization": "secret of a"},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer secret of c"},
            {"Authorization": "Basic secret of a"},
        ):
            reply = ask(running, **headers)
            assert reply.error[:2] == (401, "key_required")
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
            assert "Authorization: Bearer" in reply.error[2]
        said = Scraped(running.get("/metrics").body)
        assert said.value("gateway_refusals_total", code="key_required") == 9
        assert said.value("gateway_caller_requests_total") == 0


def test_what_machines_probe_is_open(file: Path) -> None:
    with gateway(model_server=NOBODY, keys_file=file) as running:
        for path, status in (("/status", 200), ("/healthz", 200), ("/readyz", 503), ("/metrics", 200), ("/no", 404)):
            assert running.get(path).status == status


def test_a_caller_has_a_rate_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(line("slow", "slow", ":0.001") + line("other", "other", ":0.001"))
    with gateway(model_server=NOBODY, keys_file=file) as running:
        assert ask(running, X_API_Key="slow").status == 503
        reply = ask(running, X_API_Key="slow")
        assert reply.error[:2] == (429, "rate_limited")
        assert 1 <= int(reply.headers["Retry-After"]) <= 1000
        assert "0.001 requests a second" in reply.error[2]
        assert ask(running, X_API_Key="other").status == 503


def test_workers_share_the_rate(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(line("slow", "slow", ":0.001"))
    with gateway(model_server=NOBODY, keys_file=file, workers=2) as running:
        # Each on a connection of its own, so that either worker is asked sooner or later.
        assert [ask(running, X_API_Key="slow").status for _ in range(10)] == [503] + [429] * 9


def test_a_changed_file_holds_without_a_restart(file: Path) -> None:
    with gateway(model_server=NOBODY, keys_file=file) as running:
        assert ask(running, X_API_Key="secret of a").status == 503
        file.write_text(line("c", "secret of c"))
        while ask(running, X_API_Key="secret of a").status != 401:
            pass
        assert ask(running, X_API_Key="secret of c").status == 503
        file.write_text("c:broken\n")
        while "is not used" not in "".join(running.log):
            assert ask(running, X_API_Key="secret of c").status == 503


@pytest.mark.parametrize("content", [None, "", "a:b\n"])
def test_a_wrong_file_stops_the_start(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_text(content)
    command = [sys.executable, "-m", "gateway"]
    ended = subprocess.run(command, cwd=ROOT, env={"GATEWAY_KEYS_FILE": str(file)}, capture_output=True, text=True)
    assert ended.returncode == 2
    (said,) = ended.stderr.splitlines()
    assert said.startswith("gateway: ")
    assert str(file) in said
