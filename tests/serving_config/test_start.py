"""`python -m serving_config start` as a person runs it: both processes, one life."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gateway.tiny_model import TinyModel
from tests.servers import ROOT, child_environment, free_port, is_embedded

MODEL = TinyModel(("stop", "chitchat", "misc"))
EXAMPLE = "Will I be making my own pasta for this recipe or using the packaged store bought kind?"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one version of the model."""
    folder = tmp_path_factory.mktemp("models")
    MODEL.publish(folder / "intent", 1)
    return folder


class Run:
    """A running `start`, and everything that it and its children print."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port
        self.lines: list[str] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            with self._more:
                self.lines.append(line.rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self.lines.append("(end)")
            self._more.notify_all()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Returns when a line matches; fails if the output ends before."""
        with self._more:
            while True:
                found = next(filter(None, (re.search(pattern, line) for line in self.lines)), None)
                if found:
                    return found
                assert self.lines[-1:] != ["(end)"], "\n".join(self.lines)
                self._more.wait()

    def end(self) -> int:
        """The exit status, when all output is read."""
        status = self.process.wait()
        self._reader.join()
        return status

    def child(self, name: str) -> int:
        """Process id of the child whose command line has this word."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next(int(child) for child in children if name.encode() in Path(f"/proc/{child}/cmdline").read_bytes())


@contextmanager
def _start(models: Path, state: Path, *arguments: str, **environment: str) -> Iterator[Run]:
    port = free_port()
    command = [sys.executable, "-m", "serving_config", "start", f"--models={models}", f"--state={state}"]
    command += ["--host=127.0.0.1", f"--port={port}", f"--grpc-port={free_port()}", f"--rest-port={free_port()}"]
    # Guards against a hang: a busy machine must not turn an answer into a 504.
    names = ("GATEWAY_DEADLINE_SECONDS", "GATEWAY_MAX_DEADLINE_SECONDS", "GATEWAY_DRAIN_SECONDS")
    patient = dict.fromkeys(names, "60")
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=ROOT,
        env=child_environment(**(patient | environment)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    run = Run(process, port)
    try:
        yield run
    finally:
        if process.poll() is None:
            process.terminate()
        run.end()


def test_it_says_ready_in_few_lines_answers_an_example_and_stops_the_gateway_first(
    models: Path, tmp_path: Path
) -> None:
    with _start(models, tmp_path, "--example") as run:
        run.wait_for("Ctrl-C stops both")
        address = f"http://127.0.0.1:{run.port}"
        ready = f"serving_config: ready: try it on the page at {address}/ or read about the API at {address}/docs"
        before = run.lines[: run.lines.index(ready)]
        request = run.lines[next(i for i, line in enumerate(run.lines) if line.startswith("$ curl"))]
        assert request == (
            f"$ curl -X POST -H 'Content-Type: application/json' -d '{json.dumps({'text': EXAMPLE, 'top_k': 2})}' "
            f"127.0.0.1:{run.port}/v1/predict"
        )
        answer = json.loads(run.lines[run.lines.index(request) + 1])
        assert answer["result"]["intents"][0] == {"intent": MODEL.intent(EXAMPLE), "score": 0.75}
        assert answer["model"] == {"name": "intent", "version": 1}
        with urllib.request.urlopen(f"http://127.0.0.1:{run.port}/readyz") as reply:
            assert reply.status == 200
        assert str(models / "intent") in (tmp_path / "models.config").read_text()
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 0
    if is_embedded():
        # The stock server's log is its own. A person on a slow machine is told to wait every ten seconds.
        before = [line for line in before if not line.startswith("serving_config: waiting (")]
        assert len(before) <= 6, "\n".join(before)
    _assert_gateway_stopped_first(run)


def _assert_gateway_stopped_first(run: Run) -> None:
    said = [line.removeprefix("serving_config: ") for line in run.lines if line.startswith("serving_config: ")]
    assert said[-3:] == ["stopping the gateway", "stopping the model server", "stopped"]
    order = [run.lines.index(f"serving_config: {line}") for line in said[-3:]]
    gateway_stopped = next(i for i, line in enumerate(run.lines) if line.endswith("gateway.server: stopped"))
    assert order[0] < gateway_stopped < order[1] < order[2]


@pytest.mark.parametrize(("child", "other"), [("model server", "gateway"), ("gateway", "model server")])
def test_when_one_ends_by_itself_the_other_is_stopped(models: Path, tmp_path: Path, child: str, other: str) -> None:
    with _start(models, tmp_path) as run:
        run.wait_for("gateway.server: listening on ")
        words = {"gateway": "-m\0gateway", "model server": "--rest_api_port="}
        survivor = run.child(words[other])
        os.kill(run.child(words[child]), signal.SIGKILL)
        assert run.end() == 1
    assert f"serving_config: the {child} ended by itself with status -9; its last lines say why" in run.lines
    assert f"serving_config: stopping the {other}" in run.lines
    assert not Path(f"/proc/{survivor}").exists()


def test_a_setting_that_stops_the_gateway_stops_all_and_its_line_is_seen(models: Path, tmp_path: Path) -> None:
    with _start(models, tmp_path, GATEWAY_DEADLINE_SECONDS="soon") as run:
        assert run.end() == 1
    assert "gateway: GATEWAY_DEADLINE_SECONDS=soon is not a number; the default is 2.0" in run.lines
    assert "serving_config: the gateway ended by itself with status 2; its last lines say why" in run.lines


def test_of_several_models_the_gateway_asks_the_one_that_is_named(models: Path, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    for name in ("batching.config", "monitoring.config"):
        shutil.copy(ROOT / "serving_config" / name, tmp_path / "config" / name)
    file = tmp_path / "config" / "models.config"
    one = 'config {{ name: "{}" base_path: "/models/intent" model_platform: "tensorflow" }}'
    file.write_text(f"model_config_list {{ {one.format('first')} {one.format('second')} }}")
    with _start(models, tmp_path, f"--config={file.parent}") as run:
        assert run.end() == 1
    assert run.lines == [
        f"serving_config: {file}: lists first, second, and a gateway asks one model: choose it with "
        "GATEWAY_MODEL_NAME=first, or leave one model in the file",
        "(end)",
    ]
    with _start(models, tmp_path, "--example", f"--config={file.parent}", GATEWAY_MODEL_NAME="second") as run:
        run.wait_for("Ctrl-C stops both")
        answer = next(line for line in run.lines if line.startswith("{"))
        assert json.loads(answer)["model"]["name"] == "second"
        run.process.terminate()
        assert run.end() == 0
    _assert_gateway_stopped_first(run)


def test_it_gives_up_after_the_time_it_was_given(models: Path, tmp_path: Path) -> None:
    with _start(models, tmp_path, "--wait=0") as run:
        assert run.end() == 1
        run.wait_for("serving_config: not ready after 0 s: ")


def test_sigterm_while_it_waits_stops_both(models: Path, tmp_path: Path) -> None:
    with _start(models, tmp_path) as run:
        run.wait_for("gateway.server: listening on ")
        run.process.terminate()
        assert run.end() == 0
    assert run.lines[-2] == "serving_config: stopped"


def test_a_second_signal_kills_what_does_not_end(models: Path, tmp_path: Path) -> None:
    with _start(models, tmp_path) as run:
        run.wait_for("gateway.server: listening on ")
        os.kill(run.child("--rest_api_port="), signal.SIGSTOP)
        run.process.send_signal(signal.SIGINT)
        run.wait_for("serving_config: stopping the model server")
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 0


def test_a_model_server_that_is_no_program_is_said(models: Path, tmp_path: Path) -> None:
    broken = tmp_path / "server"
    broken.write_bytes(b"no program")
    broken.chmod(0o755)
    with _start(models, tmp_path, TENSORFLOW_MODEL_SERVER=str(broken)) as run:
        assert run.end() == 1
    assert f"serving_config: the model server cannot be started: {broken}: Exec format error" in run.lines


def test_without_a_version_it_refuses_at_once(tmp_path: Path) -> None:
    with _start(tmp_path / "none", tmp_path) as run:
        assert run.end() == 1
    assert len(run.lines) == 2
    assert run.lines[0].startswith("serving_config: model intent has no version under ")
    assert "`make train`" in run.lines[0]


def test_a_broken_configuration_is_refused_before_anything_starts(models: Path, tmp_path: Path) -> None:
    with _start(models, tmp_path, f"--config={tmp_path}") as run:
        assert run.end() == 1
    assert f"{tmp_path / 'batching.config'}: cannot be read" in "\n".join(run.lines)
    assert not any("starting" in line for line in run.lines)


@pytest.mark.parametrize("option", ["--port", "--grpc-port", "--rest-port"])
def test_a_taken_port_is_refused_before_anything_starts(models: Path, tmp_path: Path, option: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with _start(models, tmp_path, f"{option}={port}") as run:
            assert run.end() == 1
    assert run.lines == [
        f"serving_config: port {port} cannot be used: Address already in use; stop what listens there, or choose "
        f"another with {option}",
        "(end)",
    ]


def test_one_port_for_two_is_refused(models: Path, tmp_path: Path) -> None:
    with _start(models, tmp_path, "--grpc-port=7000", "--rest-port=7000") as run:
        assert run.end() == 1
    assert run.lines[0].startswith("serving_config: one port is used twice: ")
