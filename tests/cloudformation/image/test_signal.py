"""Who is told what when an instance is ready, and when it is not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cloudformation.image.instance import rollout
from cloudformation.image.instance.errors import InstanceError, NotReadyError
from cloudformation.image.instance.rollout import Rollout
from cloudformation.image.instance.settings import InstanceSettings
from tests.cloudformation.image.recorded_aws import INSTANCE, RecordedAws, recorded_aws
from tests.servers import ROOT, free_port

SETTINGS = InstanceSettings(
    deployment="intent",
    ready_seconds=1,
    region="us-east-1",
    asg="intent-service",
    hook="ready",
    stack="arn:stack",
    resource="AutoScalingGroup",
    target_group_arn="arn:target",
)
REFUSED = "Stack arn:stack is in CREATE_COMPLETE state and cannot be signaled"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedAws]:
    with recorded_aws() as running:
        for name, value in _environment(running).items():
            monkeypatch.setenv(name, value)
        yield running


def _environment(aws: RecordedAws) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": aws.address,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": aws.address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }


def new(said: list[str] | None = None) -> Rollout:
    return Rollout(SETTINGS, INSTANCE, (said if said is not None else []).append, sleep=lambda _seconds: None)


def test_hook_then_load_balancer_then_stack(aws: RecordedAws) -> None:
    aws.target_states = ["unused", "initial", "healthy"]
    new().ready(60)
    actions = [each["Action"] for each in aws.asked]
    assert actions == ["CompleteLifecycleAction", *["DescribeTargetHealth"] * 3, "SignalResource"]
    hook, signal = aws.asked[0], aws.asked[-1]
    assert hook["AutoScalingGroupName"] == "intent-service"
    assert hook["LifecycleHookName"] == "ready"
    assert hook["LifecycleActionResult"] == "CONTINUE"
    assert signal["StackName"] == "arn:stack"
    assert signal["LogicalResourceId"] == "AutoScalingGroup"
    assert signal["Status"] == "SUCCESS"
    assert hook["InstanceId"] == signal["UniqueId"] == aws.asked[1]["Targets.member.1.Id"] == INSTANCE


def test_unhealthy_at_the_load_balancer_fails_the_stack(aws: RecordedAws) -> None:
    aws.target_states = ["unhealthy"]
    with pytest.raises(NotReadyError, match="unhealthy"):
        new().ready(0)
    assert aws.told() == ["CONTINUE", "FAILURE"]


def test_not_ready_is_told_at_once(aws: RecordedAws) -> None:
    new().not_ready()
    assert aws.told() == ["FAILURE", "ABANDON"]


def test_a_hook_that_is_not_reached_yet_is_tried_again(aws: RecordedAws) -> None:
    aws.refusals = {"CompleteLifecycleAction": ["No active Lifecycle Action found"] * 2}
    new().ready(60)
    assert aws.told() == ["CONTINUE", "CONTINUE", "CONTINUE", "SUCCESS"]


def test_a_stack_that_waits_for_nobody_is_no_error(aws: RecordedAws) -> None:
    aws.refusals = {"SignalResource": [REFUSED]}
    said: list[str] = []
    new(said).ready(60)
    assert said[-1] == "the stack does not wait for a signal"


def test_what_cannot_be_told_is_an_error(aws: RecordedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout, "TELL_SECONDS", 0)
    aws.refusals = {"CompleteLifecycleAction": ["no"] * 9}
    with pytest.raises(InstanceError, match="no"):
        new().ready(60)


@pytest.mark.parametrize(
    ("status", "told"), [(200, ["CONTINUE", "SUCCESS"]), (503, ["FAILURE", "ABANDON"]), (None, ["FAILURE", "ABANDON"])]
)
def test_the_program_asks_the_gateway_first(
    aws: RecordedAws, tmp_path: Path, status: int | None, told: list[str]
) -> None:
    settings = tmp_path / "instance.env"
    names = ("region", "asg", "hook", "stack", "resource", "target_group_arn", "deployment", "ready_seconds")
    settings.write_text("".join(f"{name.upper()}={getattr(SETTINGS, name)}\n" for name in names))
    command = [sys.executable, "-m", "cloudformation.image.instance", "signal", "--settings", str(settings)]
    with _gateway(status) as url:
        done = subprocess.run(
            [*command, "--url", url], cwd=ROOT, text=True, capture_output=True, env={**os.environ, **_environment(aws)}
        )
    assert aws.told() == told
    assert done.returncode == (0 if status == 200 else 1)
    assert status == 200 or "not ready after 1 s: " in done.stderr


@contextmanager
def _gateway(status: int | None) -> Iterator[str]:
    """Answers /readyz with this status; None: nobody listens. Its address."""
    if status is None:
        yield f"http://127.0.0.1:{free_port()}"
        return

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b'{"reason": "the model is loading"}')

        def log_message(self, *_: object) -> None:
            """Not to the tests' output."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
