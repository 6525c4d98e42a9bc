"""`destroy`: everything in reverse, once the name is typed; what is kept is said."""

import re

import pytest

from cloudformation.template.files import KINDS
from tests.cloudformation.operate.test_preflight import status_of
from tests.cloudformation.played.operating import Command
from tests.cloudformation.played.played_aws import PlayedAws, Step


def test_every_stack_goes_in_reverse_and_what_is_kept_is_said(deployed: PlayedAws, run: Command) -> None:
    bucket = deployed.outputs("intent-artifacts")["BucketName"]
    image = deployed.outputs("intent-image")["ImageParameter"]
    done = run("destroy", typed="intent\n")
    assert done.status == 0, done
    assert re.findall(r"^(intent-\w+): deletion$", done.out, re.MULTILINE) == [
        f"intent-{kind}" for kind in reversed(KINDS)
    ]
    assert not deployed.client("cloudformation").describe_stacks()["Stacks"]
    assert not deployed.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    kept = done.out.partition("Kept, and paid for until somebody deletes it:")[2]
    assert f"{bucket} (AWS::S3::Bucket)" in kept
    assert f"in {image}" in kept
    assert "AWS::EC2::" not in kept
    # It is there indeed, and the record of what served is not.
    assert deployed.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    names = [each["Name"] for each in deployed.client("ssm").describe_parameters()["Parameters"]]
    assert [name for name in names if name.startswith("/intent/")] == [image]


@pytest.mark.parametrize("typed", ["yes\n", "Intent\n", "\n", ""])
def test_any_other_word_is_no(standing: PlayedAws, run: Command, typed: str) -> None:
    done = run("destroy", typed=typed)
    assert done.status == 3
    assert "nothing was deleted" in done.err
    assert not standing.asked("DeleteStack")


def test_yes_must_name_the_deployment(standing: PlayedAws, run: Command) -> None:
    done = run("destroy", "--yes")
    assert done.status == 2
    assert "--name" in done.err
    assert not standing.asked("DeleteStack")


def test_an_operation_under_way_is_not_disturbed(standing: PlayedAws, run: Command) -> None:
    with status_of("intent-service", "UPDATE_IN_PROGRESS"):
        done = run("destroy", "--yes", "--name", "intent")
    assert done.status == 4
    assert "intent-service is in UPDATE_IN_PROGRESS" in done.err
    assert not standing.asked("DeleteStack")


def test_what_is_protected_stays(standing: PlayedAws, run: Command) -> None:
    cloudformation = standing.client("cloudformation")
    cloudformation.update_termination_protection(StackName="intent-service", EnableTerminationProtection=True)
    try:
        done = run("destroy", "--yes", "--name", "intent")
    finally:
        cloudformation.update_termination_protection(StackName="intent-service", EnableTerminationProtection=False)
    assert done.status == 4
    assert "update --name intent --keep-release -p DeletionProtection=false" in done.err
    assert not standing.asked("DeleteStack")


def test_a_deletion_that_fails_can_be_run_again(deployed: PlayedAws, run: Command) -> None:
    deployed.plays["intent-image"] = [
        Step("intent-image", "DELETE_IN_PROGRESS"),
        Step("BuildSecurityGroup", "DELETE_FAILED", "has a dependent object", "AWS::EC2::SecurityGroup"),
        Step("intent-image", "DELETE_FAILED"),
    ]
    done = run("destroy", "--yes", "--name", "intent")
    assert done.status == 1
    assert "first cause: BuildSecurityGroup (AWS::EC2::SecurityGroup): has a dependent object" in done.err
    assert deployed.stack("intent-network") is not None
    done = run("destroy", "--yes", "--name", "intent")
    assert done.status == 0, done
    assert not deployed.client("cloudformation").describe_stacks()["Stacks"]


def test_nothing_to_destroy(standing: PlayedAws, run: Command) -> None:
    done = run("destroy", "--yes", "--name", "other")
    assert done.status == 0
    assert "other has no stack in us-east-1" in done.out
