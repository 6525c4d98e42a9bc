"""The command as an operator types it, an account to type it at, and small releases. Conftest hands them out."""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloudformation.__main__ import main
from cloudformation.operate import change_set, drift, operation
from tests.cloudformation.played.played_aws import REGION, PlayedAws, played_aws


@dataclass(frozen=True)
class Done:
    """What a run of the command left: exit status and what it said."""

    status: int
    out: str
    err: str


Command = Callable[..., Done]


@contextmanager
def connected(folder: Path) -> Iterator[PlayedAws]:
    """An empty account, where the environment and the configuration file in the folder lead boto3."""
    config = folder / "aws-config"
    # Moto reads the bucket of a template's address from the path.
    config.write_text("[default]\ns3 =\n  addressing_style = path\n[profile other]\nregion = us-east-1\n")
    environment = {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "aws-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        # What fails here would fail again.
        "AWS_MAX_ATTEMPTS": "1",
    }
    with played_aws() as played, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "NO_COLOR"):
            patch.delenv(name, raising=False)
        for name, value in {**environment, "AWS_ENDPOINT_URL": played.address}.items():
            patch.setenv(name, value)
        for module in (change_set, drift, operation):
            patch.setattr(module, "POLL_SECONDS", 0.0)
        yield played


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[PlayedAws]:
    """An account of the test's own."""
    with connected(tmp_path) as played:
        yield played


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedAws]:
    """The account after a first deployment, for tests that only look or are refused: they share it."""
    folder = tmp_path_factory.mktemp("standing")
    put_version(folder / "models", 1)
    with connected(folder) as played:
        assert main(["deploy", "--yes", "--models", str(folder / "models")]) == 0
        yield played


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models folder with versions 1 and 2 of next to nothing: the command looks at names only."""
    folder = tmp_path / "models"
    for version in (1, 2):
        put_version(folder, version)
    return folder


def put_version(models: Path, version: int) -> None:
    """A model version as far as a release asks."""
    variables = models / "intent" / str(version) / "variables"
    variables.mkdir(parents=True)
    (variables.parent / "saved_model.pb").write_bytes(b"graph %d" % version)
    (variables / "variables.index").write_bytes(b"weights")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs one command line; `typed` is what the operator answers, a line a question."""

    def run_(*words: object, typed: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        capsys.readouterr()
        status = main([str(word) for word in words])
        said = capsys.readouterr()
        return Done(status, said.out, said.err)

    return run_


@pytest.fixture
def deployed(aws: PlayedAws, models: Path, run: Command) -> PlayedAws:
    """The account after a first deployment of model version 1."""
    done = run("deploy", "--yes", "--models", models, "--model-version", 1)
    assert done.status == 0, done
    return aws
