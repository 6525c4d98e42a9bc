"""What serves: the Auto Scaling group with its instances, the targets' health, the alarms, and a refresh under way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudformation.operate.aws import Aws
from cloudformation.operate.stacks import Stack

_ALARM_TYPES = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
_REFRESH_IS_OVER = ("Successful", "Failed", "Cancelled", "RollbackFailed", "RollbackSuccessful")
# DescribeAlarms takes so many names at once.
_ALARMS_A_CALL = 100


@dataclass(frozen=True)
class Instance:
    """One machine of the group."""

    id: str
    zone: str
    life_cycle: str
    """`InService`, `Pending:Wait`, `Terminating` and so on, in the words of Auto Scaling."""
    health: str
    """`Healthy` or `Unhealthy`, in the opinion of Auto Scaling."""


@dataclass(frozen=True)
class Group:
    """The Auto Scaling group."""

    name: str
    minimum: int
    desired: int
    maximum: int
    instances: tuple[Instance, ...]


@dataclass(frozen=True)
class Target:
    """One instance in the opinion of the load balancer."""

    id: str
    port: int
    state: str
    """`healthy`, `initial`, `unhealthy`, `draining`, `unused`."""
    reason: str


@dataclass(frozen=True)
class Alarm:
    """One alarm of the stacks."""

    name: str
    arn: str
    type: str
    """The resource's type, as a rollback trigger wants it."""
    state: str
    """`OK`, `ALARM`, `INSUFFICIENT_DATA`."""
    reason: str
    since: datetime

    @property
    def rings(self) -> bool:
        """Its threshold is crossed now."""
        return self.state == "ALARM"


@dataclass(frozen=True)
class Refresh:
    """The group's newest instance refresh."""

    id: str
    status: str
    percent: int
    """Of the instances, replaced."""
    reason: str

    @property
    def is_under_way(self) -> bool:
        """It still replaces instances, watches the new ones, or goes back."""
        return self.status not in _REFRESH_IS_OVER


class Fleet:
    """What runs from the stacks of the load balancer and the service."""

    def __init__(self, aws: Aws, stacks: Iterable[Stack]) -> None:
        self._aws = aws
        self._stacks = tuple(stacks)
        self._outputs = {name: value for stack in self._stacks for name, value in stack.outputs.items()}

    def group(self) -> Group | None:
        """None while it is not there."""
        name = self._outputs.get("AutoScalingGroupName")
        if name is None:
            return None
        found = self._aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return next((_group(each) for each in found), None)

    def targets(self) -> list[Target]:
        """In the order of the load balancer's answer."""
        arn = self._outputs.get("TargetGroupArn")
        if arn is None:
            return []
        answer = self._aws.load_balancing.describe_target_health(TargetGroupArn=arn)
        return [_target(each) for each in answer["TargetHealthDescriptions"]]

    def alarms(self) -> list[Alarm]:
        """Every alarm that the stacks hold."""
        resources = self._aws.cloudformation.get_paginator("list_stack_resources")
        names = [
            each["PhysicalResourceId"]
            for stack in self._stacks
            for page in resources.paginate(StackName=stack.id)
            for each in page["StackResourceSummaries"]
            if each["ResourceType"] in _ALARM_TYPES and each.get("PhysicalResourceId")
        ]
        alarms = []
        for start in range(0, len(names), _ALARMS_A_CALL):
            answer = self._aws.cloudwatch.describe_alarms(
                AlarmNames=names[start : start + _ALARMS_A_CALL], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
            alarms += [_alarm(each, _ALARM_TYPES[0]) for each in answer["MetricAlarms"]]
            alarms += [_alarm(each, _ALARM_TYPES[1]) for each in answer["CompositeAlarms"]]
        return sorted(alarms, key=lambda alarm: alarm.name)

    def refresh(self) -> Refresh | None:
        """The newest one, over or not; None if there never was one."""
        name = self._outputs.get("AutoScalingGroupName")
        if name is None:
            return None
        answer = self._aws.autoscaling.describe_instance_refreshes(AutoScalingGroupName=name, MaxRecords=1)
        return next((_refresh(each) for each in answer["InstanceRefreshes"]), None)


def _group(answer: Any) -> Group:
    instances = tuple(
        Instance(each["InstanceId"], each["AvailabilityZone"], each["LifecycleState"], each["HealthStatus"])
        for each in answer["Instances"]
    )
    return Group(
        answer["AutoScalingGroupName"], answer["MinSize"], answer["DesiredCapacity"], answer["MaxSize"], instances
    )


def _target(answer: Any) -> Target:
    health = answer["TargetHealth"]
    reason = health.get("Description") or health.get("Reason") or ""
    return Target(answer["Target"]["Id"], answer["Target"]["Port"], health["State"], reason)


def _alarm(answer: Any, type_: str) -> Alarm:
    return Alarm(
        answer["AlarmName"],
        answer["AlarmArn"],
        type_,
        answer["StateValue"],
        answer.get("StateReason", ""),
        answer["StateUpdatedTimestamp"],
    )


def _refresh(answer: Any) -> Refresh:
    return Refresh(
        answer["InstanceRefreshId"],
        answer["Status"],
        answer.get("PercentageComplete", 0),
        answer.get("StatusReason", ""),
    )
