"""What stops every change before it begins, and what the operator is told to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from moto.cloudformation.models import cloudformation_backends

from tests.cloudformation.played.operating import Command
from tests.cloudformation.played.played_aws import ACCOUNT, REGION, PlayedAws

CHANGES = [["deploy"], ["update", "--keep-release"], ["rollback"]]


@contextmanager
def status_of(stack: str, status: str) -> Iterator[None]:
    """The stack in this state, for as long as it takes."""
    (found,) = [each for each in cloudformation_backends[ACCOUNT][REGION].stacks.values() if each.name == stack]
    before, found.status = found.status, status
    try:
        yield
    finally:
        found.status = before


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("UPDATE_IN_PROGRESS", "aws cloudformation cancel-update-stack --stack-name intent-network"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "wait until `status` shows its end"),
        ("DELETE_IN_PROGRESS", "wait until `status` shows its end"),
        ("UPDATE_FAILED", "aws cloudformation rollback-stack --stack-name intent-network"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name intent-network"),
        ("DELETE_FAILED", "run `destroy` again"),
    ],
)
def test_a_stack_in_a_dirty_state(standing: PlayedAws, run: Command, status: str, advice: str) -> None:
    standing.calls.clear()
    with status_of("intent-network", status):
        done = run("update", "--keep-release", "--yes")
    assert done.status == 4
    assert f"intent-network is in {status}" in done.err
    assert advice in done.err
    assert not standing.asked("CreateChangeSet")


@pytest.mark.parametrize("words", CHANGES, ids=lambda words: words[0])
def test_every_command_that_changes_looks_first(
    standing: PlayedAws, models: Path, run: Command, words: list[str]
) -> None:
    standing.calls.clear()
    more = ["--models", models] if words == ["deploy"] else []
    with status_of("intent-observability", "UPDATE_ROLLBACK_FAILED"):
        done = run(*words, "--yes", *more)
    assert done.status == 4
    assert not standing.asked("CreateChangeSet")


@pytest.mark.parametrize("status", ["Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"])
def test_an_instance_refresh_under_way(standing: PlayedAws, run: Command, status: str) -> None:
    standing.calls.clear()
    standing.refreshes[:] = [{"InstanceRefreshId": "r-1", "Status": status, "PercentageComplete": 50}]
    try:
        # It is no alarm, so not even the way back may cross it.
        done = run("rollback", "--yes")
    finally:
        standing.refreshes.clear()
    assert done.status == 4
    assert f"instance refresh r-1 is {status}, 50 % done" in done.err
    assert "cancel-instance-refresh --auto-scaling-group-name intent-service" in done.err
    assert not standing.asked("CreateChangeSet")


def test_a_refresh_that_is_over_is_in_nobodys_way(standing: PlayedAws, run: Command) -> None:
    standing.refreshes[:] = [{"InstanceRefreshId": "r-1", "Status": "Successful", "PercentageComplete": 100}]
    try:
        assert run("update", "--yes", "--keep-release").status == 0
    finally:
        standing.refreshes.clear()


def test_a_full_group_has_no_room_for_an_instance_refresh(deployed: PlayedAws, models: Path, run: Command) -> None:
    scaling = deployed.client("autoscaling")
    scaling.set_desired_capacity(AutoScalingGroupName="intent-service", DesiredCapacity=3)
    before = deployed.parameters("intent-service")["ImageParameter"]
    done = run("update", "--yes", "--models", models)
    assert done.status == 4
    assert "intent-service has scaled to 3 instances of at most 3" in done.err
    assert deployed.parameters("intent-service")["ImageParameter"] == before
    # As the message says: one more is allowed, and the release goes in.
    assert run("update", "--yes", "--models", models, "-p", "MaxSize=4").status == 0
    assert deployed.parameters("intent-service")["ImageParameter"] != before
