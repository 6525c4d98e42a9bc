"""What an instance writes for the gateway and the CloudWatch agent at boot, and again when keys are rotated."""

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
import yaml
from moto import mock_aws

from cloudformation.image.instance import keys
from cloudformation.image.instance.__main__ import main
from cloudformation.image.instance.keys import fetch_keys
from cloudformation.image.instance.settings import read_settings
from gateway.api_keys.keyring import read_keys
from gateway.telemetry.metrics import Metrics

REGION = "us-east-1"
LINE = f"mobile-app:{'0' * 64}:10"
Configure = Callable[..., int]


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    # What fails here would fail again.
    monkeypatch.setattr(keys, "SECONDS", 0)
    with mock_aws():
        yield


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Runs a command with these variables in instance.env."""

    def run(command: str = "configure", **variables: str) -> int:
        given = {"DEPLOYMENT": "intent", "READY_SECONDS": "60", "REGION": REGION, **variables}
        (tmp_path / "instance.env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
        return main([command, "--settings", str(tmp_path / "instance.env"), "--folder", str(tmp_path)])

    return run


def put(value: str) -> None:
    boto3.client("ssm", REGION).put_parameter(Name="/intent/keys", Value=value, Type="SecureString", Overwrite=True)


def test_without_keys_the_gateway_is_told_of_none(configure: Configure, tmp_path: Path) -> None:
    assert configure() == 0
    assert (tmp_path / "gateway.env").read_text() == ""
    assert not (tmp_path / "keys.txt").exists()


def test_keys_of_a_parameter_become_the_gateways_file(configure: Configure, tmp_path: Path) -> None:
    put(LINE)
    assert configure(KEYS_PARAMETER="/intent/keys") == 0
    file = tmp_path / "keys.txt"
    assert (tmp_path / "gateway.env").read_text() == f"GATEWAY_KEYS_FILE={file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    # The gateway itself takes it.
    assert read_keys(file)


def test_keys_of_a_secret_do_too(configure: Configure, tmp_path: Path) -> None:
    boto3.client("secretsmanager", REGION).create_secret(Name="intent-keys", SecretString=LINE)
    assert configure(KEYS_SECRET="intent-keys") == 0
    assert (tmp_path / "keys.txt").read_text() == LINE + "\n"


@pytest.mark.parametrize("value", [None, "# nobody\n"])
def test_without_the_keys_that_are_asked_for_there_is_no_gateway(
    configure: Configure, tmp_path: Path, value: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if value:
        put(value)
    assert configure(KEYS_PARAMETER="/intent/keys") == 1
    assert "/intent/keys" in capsys.readouterr().err
    # Its unit reads this file, and does not start without it.
    assert not (tmp_path / "gateway.env").exists()


def test_rotated_keys_replace_the_old_ones(configure: Configure, tmp_path: Path) -> None:
    put(LINE)
    configure(KEYS_PARAMETER="/intent/keys")
    put("other:" + "1" * 64)
    assert configure("keys", KEYS_PARAMETER="/intent/keys") == 0
    assert (tmp_path / "keys.txt").read_text().startswith("other:")


def test_old_keys_stay_when_new_ones_cannot_be_had(configure: Configure, tmp_path: Path) -> None:
    put(LINE)
    configure(KEYS_PARAMETER="/intent/keys")
    boto3.client("ssm", REGION).delete_parameter(Name="/intent/keys")
    assert configure("keys", KEYS_PARAMETER="/intent/keys") == 1
    assert (tmp_path / "keys.txt").read_text() == LINE + "\n"


def test_keys_are_tried_for_again(configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(KEYS_PARAMETER="/intent/keys")
    monkeypatch.setattr(keys, "SECONDS", 60)
    assert fetch_keys(read_settings(tmp_path / "instance.env"), tmp_path, sleep=lambda _seconds: put(LINE))


def test_the_agent_sends_to_the_log_group_with_the_deployments_name(configure: Configure, tmp_path: Path) -> None:
    assert configure(LOG_GROUP="/intent/logs") == 0
    agent = json.loads((tmp_path / "cloudwatch-agent.json").read_text())
    files = agent["logs"]["logs_collected"]["files"]["collect_list"]
    prometheus = agent["logs"]["metrics_collected"]["prometheus"]
    assert {each["log_group_name"] for each in files} | {prometheus["log_group_name"]} == {"/intent/logs"}
    assert agent["metrics"]["metrics_collected"]["mem"]["append_dimensions"] == {"deployment": "intent"}
    scrape = yaml.safe_load(Path(prometheus["prometheus_config_path"]).read_text())["scrape_configs"][0]
    assert scrape["static_configs"] == [{"targets": ["127.0.0.1:5000"], "labels": {"deployment": "intent"}}]


def test_the_agent_asks_for_metrics_that_the_gateway_has(configure: Configure, tmp_path: Path) -> None:
    configure(LOG_GROUP="/intent/logs")
    agent = json.loads((tmp_path / "cloudwatch-agent.json").read_text())
    wanted = agent["logs"]["metrics_collected"]["prometheus"]["emf_processor"]["metric_declaration"]
    patterns = [pattern for each in wanted for pattern in each["metric_selectors"]]
    names = [name for pattern in patterns for name in _names(pattern)]
    metrics = Metrics()
    metrics.watch(in_flight=lambda: 0, queued=lambda: 0)
    known = metrics.render("")[0].decode()
    assert len(names) == 7
    for name in names:
        kind = next(line for line in known.splitlines() if line.startswith(f"# TYPE {name} "))
        # The agent leaves out histograms.
        assert kind.split()[-1] in ("gauge", "counter")


def test_without_a_log_group_nothing_is_sent(configure: Configure, tmp_path: Path) -> None:
    configure(LOG_GROUP="/intent/logs")
    configure()
    assert not (tmp_path / "cloudwatch-agent.json").exists()


def _names(pattern: str) -> list[str]:
    """What a selector of the form ^a_(b|c)$ or ^a$ matches."""
    head, _, rest = pattern.strip("^$").partition("(")
    return [head + each for each in rest.rstrip(")").split("|")]
