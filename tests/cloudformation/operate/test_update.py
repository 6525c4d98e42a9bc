"""`update`: a new release or new parameters for a deployment that runs, and when it refuses."""

from pathlib import Path
from typing import Any

import pytest

from tests.cloudformation.played.operating import Command
from tests.cloudformation.played.played_aws import PlayedAws, Step


def last_change(aws: PlayedAws, stack: str = "intent-service") -> dict[str, Any]:
    """The newest request for a change of this stack."""
    return [each for each in aws.asked("CreateChangeSet") if each["StackName"] == stack][-1]


def given(change: dict[str, Any]) -> dict[str, str | None]:
    """Its parameters; None for the value that the stack has already."""
    return {each["ParameterKey"]: each.get("ParameterValue") for each in change["Parameters"]}


def test_a_new_release_makes_an_image_and_gives_it_to_the_service(
    deployed: PlayedAws, models: Path, run: Command
) -> None:
    before = deployed.parameters("intent-service")["ImageParameter"]
    template = deployed.client("ec2").describe_launch_templates()["LaunchTemplates"][0]["LaunchTemplateId"]
    # Only the stacks that change are asked about.
    done = run("update", "--models", models, typed="y\ny\n")
    assert done.status == 0, done
    assert done.out.count("Make these changes") == 2
    after = deployed.parameters("intent-service")["ImageParameter"]
    assert after.startswith("/intent/images/2-")
    image = deployed.client("ssm").get_parameter(Name=after)["Parameter"]["Value"]
    versions = deployed.client("ec2").describe_launch_template_versions(LaunchTemplateId=template)
    newest = max(versions["LaunchTemplateVersions"], key=lambda version: version["VersionNumber"])
    assert newest["LaunchTemplateData"]["ImageId"] == image
    # The old image stays, to go back to.
    assert deployed.client("ssm").get_parameter(Name=before)["Parameter"]["Value"] != image


def test_a_label_makes_a_new_image_of_the_same_files(deployed: PlayedAws, models: Path, run: Command) -> None:
    done = run("update", "--yes", "--models", models, "--model-version", 1, "--label", "20261201")
    assert done.status == 0, done
    assert deployed.parameters("intent-service")["ImageParameter"].endswith("-20261201")


def test_parameters_alone_and_what_is_not_named_stays(deployed: PlayedAws, tmp_path: Path, run: Command) -> None:
    before = deployed.parameters("intent-service")
    done = run("update", "--yes", "--keep-release", "--models", tmp_path / "none", "-p", "RequestsPerTarget=900")
    assert done.status == 0, done
    assert deployed.parameters("intent-service") == {**before, "RequestsPerTarget": "900"}
    assert given(last_change(deployed))["MaxSize"] is None
    # The capacity that the load has chosen is not the command's business: without a new value the template leaves it.
    assert given(last_change(deployed))["DesiredCapacity"] is None


def test_nothing_is_uploaded_to_look_only(deployed: PlayedAws, models: Path, run: Command) -> None:
    bucket = deployed.outputs("intent-artifacts")["BucketName"]
    before = deployed.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"]
    done = run("update", "--no-execute", "--models", models)
    assert done.status == 3
    assert "Modify  Image " in done.out
    assert "the stacks after the image are shown when it exists" in done.err
    assert deployed.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == before
    assert not deployed.stack("intent-image").get("LastUpdatedTime")


@pytest.mark.parametrize(
    ("words", "minutes"),
    [([], 0), (["-p", "Rollout=rolling-update", "-p", "BakeMinutes=15"], 15)],
    ids=["a refresh bakes by itself", "a rolling update bakes with the stack"],
)
def test_alarms_guard_an_update(deployed: PlayedAws, run: Command, words: list[str], minutes: int) -> None:
    assert run("update", "--yes", "--keep-release", "-p", "SsmAccess=yes", *words).status == 0
    guard = last_change(deployed)["RollbackConfiguration"]
    arns = deployed.outputs("intent-balancer")["RollbackAlarmArns"].split(",")
    assert [each["Arn"] for each in guard["RollbackTriggers"]] == arns
    assert int(guard["MonitoringTimeInMinutes"]) == minutes
    assert deployed.parameters("intent-service")["RolloutAlarms"] == "yes"


def test_an_alarm_that_rings_stops_an_update_unless_it_is_ignored(
    deployed: PlayedAws, models: Path, run: Command
) -> None:
    alarm = deployed.outputs("intent-balancer")["RolloutAlarmNames"].split(",")[0]
    deployed.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="5 of 5 failed")
    done = run("update", "--yes", "--models", models)
    assert done.status == 4
    assert f"{alarm} rings" in done.err
    assert "--ignore-alarms" in done.err
    done = run("update", "--yes", "--models", models, "--ignore-alarms")
    assert done.status == 0, done
    assert not last_change(deployed)["RollbackConfiguration"].get("RollbackTriggers")
    assert deployed.parameters("intent-service")["RolloutAlarms"] == "no"


def test_a_failed_update_says_the_first_cause_and_that_the_old_serves(
    deployed: PlayedAws, models: Path, run: Command
) -> None:
    before = deployed.parameters("intent-service")["ImageParameter"]
    deployed.plays["intent-service"] = [
        Step("intent-service", "UPDATE_IN_PROGRESS", "User Initiated"),
        Step("LaunchTemplate", "UPDATE_COMPLETE", type="AWS::EC2::LaunchTemplate"),
        Step("AutoScalingGroup", "UPDATE_IN_PROGRESS"),
        Step("AutoScalingGroup", "UPDATE_FAILED", "Instance refresh failed: i-1 was not ready"),
        Step("Scaling", "UPDATE_FAILED", "Resource update cancelled", "AWS::AutoScaling::ScalingPolicy"),
        Step("intent-service", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update"),
        Step("intent-service", "UPDATE_ROLLBACK_COMPLETE"),
    ]
    done = run("update", "--yes", "--models", models)
    assert done.status == 1
    assert "intent-service ended in UPDATE_ROLLBACK_COMPLETE" in done.err
    assert "first cause: AutoScalingGroup (AWS::AutoScaling::AutoScalingGroup): Instance refresh failed" in done.err
    assert "everything is as before the update" in done.err
    # The release that failed is not one to go back to.
    assert deployed.parameters("intent-service")["ImageParameter"] == before
    assert run("rollback", "--yes").status == 1


def test_it_wants_a_deployment_that_serves(aws: PlayedAws, models: Path, run: Command) -> None:
    done = run("update", "--yes", "--models", models)
    assert done.status == 4
    assert "intent does not serve yet; finish it with `deploy`" in done.err


def test_drift_is_looked_for_if_asked(deployed: PlayedAws, models: Path, run: Command) -> None:
    deployed.drifts += [
        drift("AutoScalingGroup", [("/DesiredCapacity", "2", "3")]),
        drift("InstanceSecurityGroup", [("/SecurityGroupIngress/0/CidrIp", "10.0.0.0/8", "0.0.0.0/0")]),
        {**drift("Scaling", []), "StackResourceDriftStatus": "DELETED"},
    ]
    done = run("update", "--yes", "--models", models, "--check-drift")
    assert done.status == 4
    assert (
        "intent-service: InstanceSecurityGroup /SecurityGroupIngress/0/CidrIp: 10.0.0.0/8 expected, 0.0.0.0/0 found"
        in done.err
    )
    assert "intent-service: Scaling is gone" in done.err
    # What scaling does is not drift.
    assert "DesiredCapacity" not in done.err
    deployed.drift_statuses[:] = ["DETECTION_FAILED"]
    done = run("update", "--yes", "--models", models, "--check-drift")
    assert done.status == 1
    assert "cannot be told: no rights" in done.err
    assert run("update", "--yes", "--models", models).status == 0


def drift(logical_id: str, differences: list[tuple[str, str, str]]) -> dict[str, Any]:
    return {
        "StackId": "stack",
        "LogicalResourceId": logical_id,
        "ResourceType": "AWS::Any::Thing",
        "StackResourceDriftStatus": "MODIFIED",
        "Timestamp": "2026-08-01T00:00:00Z",
        "PropertyDifferences": [
            {"PropertyPath": path, "ExpectedValue": expected, "ActualValue": found, "DifferenceType": "NOT_EQUAL"}
            for path, expected, found in differences
        ],
    }
