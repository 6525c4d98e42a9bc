"""gateway/Dockerfile: its steps, run for real on this machine instead of in a container, and what it promises."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.settings.settings import Settings
from tests.servers import ROOT, ModelServer, free_port, stop

DOCKERFILE = (ROOT / "gateway" / "Dockerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    """Name and arguments of each, comments and line breaks removed."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE)
    lines = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


INSTRUCTIONS = instructions()
STAGES = [at for at, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM"]
FINAL = dict(INSTRUCTIONS[STAGES[-1] :])
HEALTH_CHECK = json.loads(FINAL["HEALTHCHECK"].partition("CMD ")[2])
ENTRYPOINT = json.loads(FINAL["ENTRYPOINT"])
# The folder of the virtual environment, in the image.
PREFIX = "/opt/gateway"


@dataclass(frozen=True)
class Built:
    """What the image holds under /opt/gateway, at another place."""

    prefix: Path

    def environment(self, **variables: str) -> dict[str, str]:
        """The image's own, and these; nothing of the repository."""
        named = dict(each.split("=", 1) for each in FINAL["ENV"].split())
        named["PATH"] = named["PATH"].replace(PREFIX, str(self.prefix)).replace("$PATH", os.defpath)
        return named | variables


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The steps of the first stage, in its order, with the folders of the image moved."""
    root = tmp_path_factory.mktemp("image")
    built = Built(root / "gateway")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name, rest in INSTRUCTIONS[: STAGES[-1]]:
        moved = rest.replace("/tmp", str(root)).replace(PREFIX, str(built.prefix))
        if name == "COPY":
            source, target = moved.split()
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, target)
        elif name == "RUN":
            words = json.loads(moved) if moved.startswith("[") else ["sh", "-c", moved]
            done = subprocess.run(words, env=environment, cwd=root, capture_output=True, text=True, check=False)
            if done.returncode and "Retrying (Retry(" in done.stderr:
                pytest.skip("the package index cannot be reached")
            assert done.returncode == 0, done.stderr
    return built


@contextmanager
def started(built: Built, model_server: str, folder: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """The image's entry point in an empty folder, and its port; it listens."""
    port = free_port()
    variables = {"GATEWAY_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "GATEWAY_MODEL_SERVER": model_server}
    variables["GATEWAY_LOAD_BALANCER_WINDOW_SECONDS"] = "0"
    # A busy machine may be slow.
    patient = ("GATEWAY_DEADLINE_SECONDS", "GATEWAY_MAX_DEADLINE_SECONDS", "GATEWAY_DRAIN_SECONDS")
    environment = built.environment(**variables, **dict.fromkeys(patient, "60"))
    process = subprocess.Popen(
        resolved(built, ENTRYPOINT), env=environment, cwd=folder, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr
        assert any("listening" in line for line in iter(process.stderr.readline, ""))
        yield process, port
    finally:
        if process.poll() is None:
            stop(process)


def resolved(built: Built, words: list[str]) -> list[str]:
    """The command line with its program looked up as in the image."""
    program = shutil.which(words[0], path=built.environment()["PATH"])
    assert program == str(built.prefix / "bin" / "python")
    return [program, *words[1:]]


def health(built: Built, port: int) -> int:
    """Exit status of the health check."""
    command = resolved(built, HEALTH_CHECK)
    environment = built.environment(GATEWAY_PORT=str(port))
    return subprocess.run(command, env=environment, cwd="/", stderr=subprocess.DEVNULL, check=False).returncode


def test_it_holds_the_locked_set_and_no_installer(built: Built) -> None:
    locked = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "gateway" / "requirements.txt").read_text(), re.MULTILINE)
    found = (path.name.removesuffix(".dist-info").rsplit("-", 1) for path in built.prefix.glob("lib/*/*/*.dist-info"))
    assert {(name.replace("_", "-").lower(), release) for name, release in found} == set(locked)


def test_byte_code_is_there_for_a_file_system_that_is_read_only(built: Built) -> None:
    (package,) = built.prefix.glob("lib/*/site-packages/gateway")
    for source in package.rglob("*.py"):
        assert list((source.parent / "__pycache__").glob(f"{source.stem}.*.pyc")), source


def test_it_is_healthy_while_it_can_answer_and_ends_by_the_stop_signal(
    built: Built, server: ModelServer, tmp_path: Path
) -> None:
    with started(built, server.address, tmp_path) as (process, port):
        assert health(built, port) == 0
        process.send_signal(signal.Signals[FINAL["STOPSIGNAL"]])
        assert process.wait(60) == 0
        assert health(built, port) != 0


def test_without_a_model_server_it_lives_and_is_not_healthy(built: Built, tmp_path: Path) -> None:
    with started(built, f"127.0.0.1:{free_port()}", tmp_path) as (process, port):
        assert health(built, port) != 0
        assert process.poll() is None


def test_the_final_stage_is_not_root_and_takes_signals() -> None:
    user, _, group = FINAL["USER"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert FINAL["STOPSIGNAL"] == "SIGTERM"
    assert int(FINAL["EXPOSE"]) == Settings().port
    assert not {"RUN", "ADD"} & FINAL.keys()


def test_the_health_check_waits_longer_than_the_gateway_probes() -> None:
    (seconds,) = re.findall(r"--timeout=(\d+)s", FINAL["HEALTHCHECK"])
    (inner,) = re.findall(r"timeout=(\d+)\)", HEALTH_CHECK[-1])
    assert Settings().deadline_seconds < int(inner) < int(seconds)


def test_both_stages_have_the_python_of_the_locks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    release = project["requires-python"].removeprefix("==").removesuffix(".*")
    assert {INSTRUCTIONS[at][1].split()[0] for at in STAGES} == {f"python:{release}-slim"}
    assert f"python{release}" in DOCKERFILE


def test_the_context_is_the_gateway_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[:2] == ["*", "!gateway"]
    sources = {rest.split()[0] for name, rest in INSTRUCTIONS if name == "COPY" and not rest.startswith("--")}
    assert {source.split("/")[0] for source in sources} == {"gateway"}


def test_hadolint_finds_nothing() -> None:
    found = shutil.which("hadolint", path=f"{ROOT / '.venv-templates' / 'bin'}:{os.environ['PATH']}")
    if not found:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([found, "gateway/Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
