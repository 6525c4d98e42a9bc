"""Region, profile and credentials are found as the AWS CLI finds them; what is missing is said in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from moto.core.exceptions import ServiceException
from moto.sts.responses import TokenResponse

from tests.cloudformation.played.operating import Command
from tests.cloudformation.played.played_aws import PlayedAws

pytestmark = pytest.mark.filterwarnings("ignore:.*does not match an error shape")

Setenv = Callable[[str, str], None]


@pytest.fixture
def setenv(standing: PlayedAws, monkeypatch: pytest.MonkeyPatch) -> Setenv:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    return monkeypatch.setenv


@pytest.mark.parametrize(
    ("words", "environment", "region"),
    [
        (["--region", "eu-west-1"], {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-1"),
        ([], {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-2"),
        ([], {"AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        (["--profile", "other"], {}, "ap-south-1"),
        ([], {"AWS_PROFILE": "other"}, "ap-south-1"),
    ],
    ids=["option", "AWS_REGION", "AWS_DEFAULT_REGION", "profile", "AWS_PROFILE"],
)
def test_where_the_region_comes_from(
    setenv: Setenv, tmp_path: Path, run: Command, words: list[str], environment: dict[str, str], region: str
) -> None:
    file = tmp_path / "config"
    file.write_text("[profile other]\nregion = ap-south-1\naws_access_key_id = a\naws_secret_access_key = b\n")
    setenv("AWS_CONFIG_FILE", str(file))
    for name, value in environment.items():
        setenv(name, value)
    done = run("status", *words)
    assert f"intent in {region} " in done.out, done


def test_no_region(setenv: Setenv, run: Command) -> None:
    done = run("status")
    assert done.status == 1
    assert done.err == "cloudformation: no region; give --region, set AWS_REGION, or name one in ~/.aws/config\n"


def test_no_credentials(setenv: Setenv, monkeypatch: pytest.MonkeyPatch, run: Command) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    done = run("status", "--region", "us-east-1")
    assert done.status == 1
    assert done.err.startswith("cloudformation: no AWS credentials; sign in")
    assert done.err.count("\n") == 1


def test_no_such_profile(setenv: Setenv, run: Command) -> None:
    done = run("status", "--profile", "nobody")
    assert done.status == 1
    assert "(nobody) could not be found; `aws configure list-profiles` shows those that exist" in done.err


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ExpiredToken", "the AWS credentials have expired; sign in again"),
        ("InvalidClientTokenId", "AWS does not accept the credentials (InvalidClientTokenId)"),
        ("SignatureDoesNotMatch", "check the profile and the clock"),
        ("AccessDenied", "AWS forbids GetCallerIdentity: as played"),
        ("InternalFailure", "GetCallerIdentity: as played (InternalFailure)"),
    ],
)
def test_what_aws_refuses(setenv: Setenv, monkeypatch: pytest.MonkeyPatch, run: Command, code: str, said: str) -> None:
    class Refusal(ServiceException):
        pass

    Refusal.code = code

    def refuse(_: TokenResponse) -> None:
        raise Refusal("as played")

    monkeypatch.setattr(TokenResponse, "get_caller_identity", refuse)
    done = run("status", "--region", "us-east-1")
    assert done.status == 1
    assert said in done.err
    assert done.err.count("\n") == 1


def test_aws_out_of_reach(setenv: Setenv, run: Command) -> None:
    setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    done = run("status", "--region", "us-east-1")
    assert done.status == 1
    assert "AWS cannot be reached" in done.err
    assert "check the region's name and the network" in done.err
