"""`status`: what stands where, for people and for programs."""

import json
from typing import Any

import pytest

from cloudformation.template.files import KINDS
from tests.cloudformation.operate.test_preflight import status_of
from tests.cloudformation.played.operating import Command
from tests.cloudformation.played.played_aws import PlayedAws, Step


def told(run: Command, *words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run("status", "--json", *words).out)
    return answer


def test_a_deployment_that_is_well(standing: PlayedAws, run: Command) -> None:
    done = run("status")
    assert done.status == 0, done
    release = standing.parameters("intent-image")["ReleaseName"]
    for part in (
        "intent in us-east-1 (account 123456789012)",
        standing.outputs("intent-balancer")["Url"],
        f"release: {release}",
        "2 wanted, 2 there (1 to 3 allowed)",
        "all is well",
        *(f"intent-{kind}" for kind in KINDS),
        *standing.outputs("intent-balancer")["RolloutAlarmNames"].split(","),
    ):
        assert part in done.out


def test_for_programs(standing: PlayedAws, run: Command) -> None:
    status = told(run)
    assert status["is_well"] is True
    assert status["problems"] == []
    assert [stack["name"] for stack in status["stacks"]] == [f"intent-{kind}" for kind in KINDS]
    assert {stack["status"] for stack in status["stacks"]} == {"CREATE_COMPLETE"}
    assert status["release"] == status["releases"][0]["release"]
    assert status["releases"][0]["id"].startswith("ami-")
    assert (status["group"]["minimum"], status["group"]["desired"], status["group"]["maximum"]) == (1, 2, 3)
    assert {target["state"] for target in status["targets"]} == {"healthy"}
    assert {alarm["state"] for alarm in status["alarms"]} == {"OK"}
    assert status["refresh"] is None


def test_an_alarm_that_rings(standing: PlayedAws, run: Command) -> None:
    cloudwatch = standing.client("cloudwatch")
    alarm = standing.outputs("intent-balancer")["RolloutAlarmNames"].split(",")[0]
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="7 of 7 answers were 500")
    try:
        done = run("status")
        assert done.status == 1
        assert f"alarm {alarm}: 7 of 7 answers were 500" in done.out
        assert told(run)["is_well"] is False
    finally:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="")


def test_instances_that_are_not_healthy(standing: PlayedAws, run: Command) -> None:
    balancing = standing.client("elbv2")
    arn = standing.outputs("intent-balancer")["TargetGroupArn"]
    target = balancing.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"][0]["Target"]
    balancing.deregister_targets(TargetGroupArn=arn, Targets=[target])
    try:
        done = run("status")
        assert done.status == 1
        assert "1 of 2 wanted instances are healthy" in done.out
        assert "not registered" in done.out
    finally:
        balancing.register_targets(TargetGroupArn=arn, Targets=[target])


@pytest.mark.parametrize(("status", "code"), [("InProgress", 0), ("Failed", 1)])
def test_an_instance_refresh(standing: PlayedAws, run: Command, status: str, code: int) -> None:
    standing.refreshes[:] = [
        {"InstanceRefreshId": "r-1", "Status": status, "PercentageComplete": 33, "StatusReason": "waits for i-1"}
    ]
    try:
        done = run("status")
    finally:
        standing.refreshes.clear()
    assert done.status == code
    assert "waits for i-1" in done.out
    assert ("33 % replaced" in done.out) is (code == 0)


def test_drift_if_asked(standing: PlayedAws, run: Command) -> None:
    standing.drifts[:] = [
        {
            "StackId": "stack",
            "LogicalResourceId": "Vpc",
            "ResourceType": "AWS::EC2::VPC",
            "StackResourceDriftStatus": "DELETED",
            "Timestamp": "2026-08-01T00:00:00Z",
        }
    ]
    try:
        assert run("status").status == 0
        done = run("status", "--drift")
    finally:
        standing.drifts.clear()
    assert done.status == 1
    assert "drift of intent-network: Vpc is gone" in done.out


def test_a_stack_that_failed_with_its_cause(standing: PlayedAws, run: Command) -> None:
    standing.plays["intent-network"] = [
        Step("intent-network", "UPDATE_IN_PROGRESS"),
        Step("S3Endpoint", "UPDATE_FAILED", "no such service", "AWS::EC2::VPCEndpoint"),
        Step("intent-network", "UPDATE_ROLLBACK_FAILED"),
    ]
    assert run("update", "--yes", "--keep-release", "-p", "FlowLogs=yes").status == 1
    try:
        done = run("status")
        assert done.status == 1
        problem = "intent-network is in UPDATE_ROLLBACK_FAILED: S3Endpoint (AWS::EC2::VPCEndpoint): no such service"
        assert problem in done.out
    finally:
        with status_of("intent-network", "UPDATE_COMPLETE"):
            pass


def test_nothing_is_deployed(standing: PlayedAws, run: Command) -> None:
    done = run("status", "--name", "other")
    assert done.status == 1
    assert "the service is not deployed" in done.out
    assert told(run, "--name", "other")["stacks"] == []
