"""A stack operation while it lasts: what is shown on a terminal and in a log, and how the waiting ends."""

import io
import re
import signal
import time
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest
from moto.cloudformation.exceptions import ValidationError
from moto.core.exceptions import ServiceException

from cloudformation.__main__ import main
from cloudformation.operate import operation
from tests.cloudformation.played.operating import Command
from tests.cloudformation.played.played_aws import PlayedAws, Step

# Moto knows no errors that every service may answer.
pytestmark = pytest.mark.filterwarnings("ignore:.*does not match an error shape")

BEGINS = Step("intent-artifacts", "CREATE_IN_PROGRESS", "User Initiated")
ENDS = Step("intent-artifacts", "CREATE_COMPLETE")
BUCKET = "AWS::S3::Bucket"
FAILS = [
    BEGINS,
    Step("Bucket", "CREATE_IN_PROGRESS", type=BUCKET),
    Step("BucketPolicy", "CREATE_FAILED", "Resource creation cancelled", "AWS::S3::BucketPolicy"),
    Step("Bucket", "CREATE_FAILED", "You have too many buckets", BUCKET),
    Step("intent-artifacts", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Bucket]."),
    Step("Bucket", "DELETE_COMPLETE", type=BUCKET),
    Step("intent-artifacts", "ROLLBACK_COMPLETE"),
]


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def on_screen(models: Path) -> str:
    """What a deployment that fails shows on a terminal."""
    screen = Screen()
    with redirect_stdout(screen):
        assert main(["deploy", "--yes", "--models", str(models)]) == 1
    return screen.getvalue()


def test_a_log_gets_a_line_for_each_end_and_nothing_twice(aws: PlayedAws, models: Path, run: Command) -> None:
    aws.plays["intent-artifacts"] = FAILS
    done = run("deploy", "--yes", "--models", models)
    assert done.status == 1
    events = done.out.partition("BucketPolicy\n")[2] or done.out
    lines = [line[12:] for line in events.splitlines() if line[2:3].isdigit()]
    assert lines == [
        "CREATE_IN_PROGRESS    intent-artifacts",
        "CREATE_FAILED         BucketPolicy  (AWS::S3::BucketPolicy)  Resource creation cancelled",
        "CREATE_FAILED         Bucket  (AWS::S3::Bucket)  You have too many buckets",
        "ROLLBACK_IN_PROGRESS  intent-artifacts  The following resource(s) failed to create: [Bucket].",
        "DELETE_COMPLETE       Bucket  (AWS::S3::Bucket)",
        "ROLLBACK_COMPLETE     intent-artifacts",
    ]
    assert "\x1b" not in done.out + done.err


def test_the_first_cause_is_repeated_at_the_end_with_what_to_do(aws: PlayedAws, models: Path, run: Command) -> None:
    aws.plays["intent-artifacts"] = FAILS
    done = run("deploy", "--yes", "--models", models)
    assert done.err == (
        "cloudformation: intent-artifacts ended in ROLLBACK_COMPLETE\n"
        "  first cause: Bucket (AWS::S3::Bucket): You have too many buckets\n"
        "  nothing of it is left; run the same command again when the cause is gone\n"
    )


def test_an_alarm_that_rolled_back_is_named(aws: PlayedAws, models: Path, run: Command) -> None:
    reason = "Rollback requested by alarm intent-target-5xx"
    aws.plays["intent-artifacts"] = [
        BEGINS,
        Step("intent-artifacts", "ROLLBACK_IN_PROGRESS", reason),
        Step("intent-artifacts", "ROLLBACK_COMPLETE"),
    ]
    assert f"reason: {reason}" in run("deploy", "--yes", "--models", models).err


def test_a_terminal_shows_progress_and_colours(aws: PlayedAws, models: Path) -> None:
    aws.plays["intent-artifacts"] = FAILS
    shown = on_screen(models)
    assert "intent-artifacts: 0 of 2 resources, 0 s; working on Bucket" in shown
    # Written over, line by line.
    assert shown.count("\r\x1b[2K") == shown.count(" resources, ")
    assert "\x1b[31m" in next(line for line in shown.splitlines() if "You have too many buckets" in line)


def test_no_color_is_obeyed(aws: PlayedAws, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    aws.plays["intent-artifacts"] = FAILS
    assert not re.search(r"\x1b\[\d+m", on_screen(models))


def test_a_group_that_rolls_tells_how(aws: PlayedAws, models: Path, run: Command) -> None:
    aws.plays["intent-artifacts"] = [
        BEGINS,
        Step("Bucket", "CREATE_IN_PROGRESS", "Resource creation Initiated", BUCKET),
        Step("Bucket", "UPDATE_IN_PROGRESS", "Received SUCCESS signal with UniqueId i-1", BUCKET),
        Step("intent-artifacts", "ROLLBACK_COMPLETE"),
    ]
    said = run("deploy", "--yes", "--models", models).out
    assert "Received SUCCESS signal with UniqueId i-1" in said
    assert "Resource creation Initiated" not in said


def test_the_stack_goes_on_when_the_time_is_over(aws: PlayedAws, models: Path, run: Command) -> None:
    aws.plays["intent-artifacts"] = [BEGINS, *[Step("Bucket", "CREATE_IN_PROGRESS", type=BUCKET)] * 1000]
    done = run("deploy", "--yes", "--models", models, "--wait", 0)
    assert done.status == 5
    assert "not over after 0 s" in done.err
    assert "the operation on intent-artifacts goes on without this command. `status` shows where it stands" in done.err
    assert aws.stack("intent-artifacts")["StackStatus"] == "CREATE_IN_PROGRESS"


def test_ctrl_c_while_waiting(aws: PlayedAws, models: Path, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.plays["intent-artifacts"] = [BEGINS, *[Step("Bucket", "CREATE_IN_PROGRESS", type=BUCKET)] * 1000]
    # The operator's finger, when the first events are on the screen. Only the command pauses so: threads of the played
    # AWS sleep, too.
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(operation, "time", clock)
    # A shell that starts the tests in the background has them ignore Ctrl-C, and the command would wait on.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        done = run("deploy", "--yes", "--models", models)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert done.status == 5
    assert "interrupted; the operation on intent-artifacts goes on without this command" in done.err


def test_ctrl_c_at_a_question_leaves_nothing(
    aws: PlayedAws, models: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Finger(io.StringIO):
        def readline(self, *_: object) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr(io, "StringIO", lambda _: Finger())
    done = run("deploy", "--models", models)
    assert done.status == 130
    assert not aws.client("cloudformation").describe_stacks()["Stacks"]


def test_a_connection_that_is_lost_is_waited_for(
    aws: PlayedAws, models: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.plays["intent-artifacts"] = [BEGINS, Step("intent-artifacts", "ROLLBACK_COMPLETE", "as played")]
    cuts = iter([2])

    def sleep(_: float) -> None:
        aws.cuts = next(cuts, aws.cuts)

    monkeypatch.setattr(operation.time, "sleep", sleep)
    done = run("deploy", "--yes", "--models", models)
    assert done.status == 1
    assert "reason: as played" in done.err
    assert next(cuts, None) is None


def test_credentials_that_expire_meanwhile(aws: PlayedAws, models: Path, run: Command) -> None:
    aws.plays["intent-artifacts"] = [BEGINS, ENDS]

    class Expired(ServiceException):
        code = "ExpiredToken"

    # The first look is before the operation.
    aws.refusals["DescribeStackEvents"] = [None, Expired("The security token included in the request is expired")]
    done = run("deploy", "--yes", "--models", models)
    assert done.status == 5
    assert "the AWS credentials have expired" in done.err
    assert "goes on without this command" in done.err


def test_throttling_is_waited_out(aws: PlayedAws, models: Path, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    class Throttled(ServiceException):
        code = "Throttling"

    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    # Retries pause for up to a second, by botocore's own clock.
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    aws.refusals["DescribeStacks"] = [Throttled("Rate exceeded")] * 2
    done = run("deploy", "--models", models, typed="n\n")
    assert done.status == 3, done


def test_a_change_set_that_cloudformation_refuses(aws: PlayedAws, models: Path, run: Command) -> None:
    aws.refusals["CreateChangeSet"] = [ValidationError(message="Template format error: no Resources")]
    done = run("deploy", "--yes", "--models", models)
    assert done.status == 1
    assert done.err == "cloudformation: CreateChangeSet: Template format error: no Resources (ValidationError)\n"
