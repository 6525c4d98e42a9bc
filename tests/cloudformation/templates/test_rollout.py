"""The service as CloudFormation is told of it: both rollouts, the times, and what is refused."""

from typing import Any

import pytest
import yaml

from cloudformation.errors import UsageError
from cloudformation.template.files import TEMPLATES, load
from cloudformation.template.parameters import resolve
from cloudformation.template.render import render

SERVICE = load(TEMPLATES["service"])
OUTPUTS = {
    "ImageParameter": "/intent/images/1-000000000001",
    "InstanceSecurityGroupId": "sg-00000001",
    "InstanceSubnetIds": "subnet-00000001,subnet-00000002",
    "LoadBalancerFullName": "app/intent/0123456789abcdef",
    "RolloutAlarmNames": "intent-target-5xx,intent-latency-p99",
    "TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/intent/0123456789abcdef",
    "TargetGroupFullName": "targetgroup/intent/0123456789abcdef",
}


def resolved(resource: str, given: dict[str, str]) -> dict[str, Any]:
    """A resource with everything that CloudFormation works out before it begins."""
    text = render({"service": resolve(SERVICE, {**OUTPUTS, **given})})["service.yaml"]
    found: dict[str, Any] = yaml.safe_load(text)["Resources"][resource]
    return found


def test_shell_through_systems_manager_only_on_demand() -> None:
    (policy,) = resolved("InstanceRole", {"SsmAccess": "yes"})["Properties"]["ManagedPolicyArns"]
    assert policy.endswith(":policy/AmazonSSMManagedInstanceCore")
    assert "ManagedPolicyArns" not in resolved("InstanceRole", {})["Properties"]


def test_instance_refresh_starts_one_before_it_ends_one() -> None:
    policy = resolved("AutoScalingGroup", {})["UpdatePolicy"]
    assert policy.keys() == {"AutoScalingInstanceRefresh", "AutoScalingScheduledAction"}
    refresh = policy["AutoScalingInstanceRefresh"]
    assert refresh["Strategy"] == "Rolling"
    preferences = refresh["Preferences"]
    assert preferences["MinHealthyPercentage"] == 100
    assert preferences["MaxHealthyPercentage"] > 100
    assert preferences["AlarmSpecification"]["Alarms"] == OUTPUTS["RolloutAlarmNames"].split(",")
    assert preferences["BakeTime"] == 600


def test_rolling_update_waits_for_signals() -> None:
    policy = resolved("AutoScalingGroup", {"Rollout": "rolling-update", "DesiredCapacity": "4", "MaxSize": "6"})[
        "UpdatePolicy"
    ]
    assert policy.keys() == {"AutoScalingRollingUpdate", "AutoScalingScheduledAction"}
    rolling = policy["AutoScalingRollingUpdate"]
    assert (rolling["MaxBatchSize"], rolling["MinSuccessfulInstancesPercent"]) == (1, 100)
    assert rolling["MinInstancesInService"] == "4"
    assert rolling["WaitOnResourceSignals"] is True
    suspended = set(rolling["SuspendProcesses"])
    assert suspended >= {"HealthCheck", "ReplaceUnhealthy", "AZRebalance", "AlarmNotification", "ScheduledActions"}
    assert not suspended & {"Launch", "Terminate", "AddToLoadBalancer"}


@pytest.mark.parametrize("rollout", ["instance-refresh", "rolling-update"])
def test_update_leaves_the_capacity_to_the_load(rollout: str) -> None:
    policy = resolved("AutoScalingGroup", {"Rollout": rollout})["UpdatePolicy"]
    assert policy["AutoScalingScheduledAction"] == {"IgnoreUnmodifiedGroupSizeProperties": True}


def test_alarms_can_be_ignored() -> None:
    refresh = resolved("AutoScalingGroup", {"RolloutAlarms": "no"})["UpdatePolicy"]["AutoScalingInstanceRefresh"]
    assert "AlarmSpecification" not in refresh["Preferences"]


@pytest.mark.parametrize("minutes", ["5", "10", "15", "20", "30"])
def test_all_times_derive_from_one(minutes: str) -> None:
    found = resolved("AutoScalingGroup", {"Rollout": "rolling-update", "ReadyMinutes": minutes})
    assert found["UpdatePolicy"]["AutoScalingRollingUpdate"]["PauseTime"] == f"PT{minutes}M"
    assert found["CreationPolicy"]["ResourceSignal"] == {"Count": "2", "Timeout": f"PT{minutes}M"}
    (hook,) = found["Properties"]["LifecycleHookSpecificationList"]
    # What is left must be enough for the load balancer's first checks.
    left = int(minutes) * 60 - hook["HeartbeatTimeout"]
    assert left == int(minutes) * 60 / 5 >= found["Properties"]["HealthCheckGracePeriod"]


@pytest.mark.parametrize("minutes", ["0", "5", "10", "15", "30", "60"])
def test_bake_time_is_that_many_minutes(minutes: str) -> None:
    refresh = resolved("AutoScalingGroup", {"BakeMinutes": minutes})["UpdatePolicy"]["AutoScalingInstanceRefresh"]
    assert refresh["Preferences"]["BakeTime"] == int(minutes) * 60


def test_slow_start_ends_before_a_rollout_goes_on() -> None:
    warm_up = resolved("AutoScalingGroup", {})["Properties"]["DefaultInstanceWarmup"]
    slow = load(TEMPLATES["balancer"])["Parameters"]["SlowStartSeconds"]["AllowedValues"]
    assert max(slow) <= warm_up


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ImageParameter": "ami-0123456789abcdef0"}, "ImageParameter"),
        ({"InstanceType": "t4g.micro"}, "InstanceType"),
        ({"InstanceSubnetIds": ""}, "InstanceSubnetIds"),
        ({"InstanceSecurityGroupId": "default"}, "InstanceSecurityGroupId"),
        ({"TargetGroupArn": "targets"}, "TargetGroupArn"),
        ({"RolloutAlarmNames": "a,,b"}, "RolloutAlarmNames"),
        ({"MinSize": "0"}, "MinSize"),
        ({"DesiredCapacity": "10"}, "DesiredCapacity"),
        ({"MaxSize": "1"}, "MaxSize"),
        ({"MinSize": "3"}, "MinSize must not be above DesiredCapacity"),
        ({"DesiredCapacity": "3"}, "MaxSize must be"),
        ({"MaxSize": "2"}, "MaxSize must be"),
        ({"MinSize": "01"}, "MinSize must not be above DesiredCapacity"),
        ({"RequestsPerTarget": "0"}, "RequestsPerTarget"),
        ({"Rollout": "blue-green"}, "Rollout"),
        ({"ReadyMinutes": "7"}, "ReadyMinutes"),
        ({"BakeMinutes": "-1"}, "BakeMinutes"),
        ({"ApiKeysSecret": "keys with spaces"}, "ApiKeysSecret"),
        ({"ApiKeysParameter": "no-slash"}, "ApiKeysParameter"),
        ({"ApiKeysSecret": "a", "ApiKeysParameter": "/b"}, "not both"),
        ({"PermissionsBoundary": "boundary"}, "PermissionsBoundary"),
        ({"LogRetentionDays": "31"}, "LogRetentionDays"),
    ],
)
def test_wrong_parameter_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        resolve(SERVICE, {**OUTPUTS, **given})
