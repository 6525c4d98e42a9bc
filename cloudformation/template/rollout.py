"""The arithmetic of both rollouts: how few instances serve, and how many exist, while a new image comes in.

The numbers are the template's own (`policies`), so that the model cannot say anything of another one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol

from cloudformation.template.files import Template


@dataclass(frozen=True)
class Plan:
    """The worst that an update does on its way."""

    fewest: int
    """In service, at the worst moment."""
    most: int
    """In service, starting or ending, at the fullest moment."""


class Rollout(Protocol):
    """How CloudFormation replaces the instances when the image changes."""

    def plan(self, running: int) -> Plan:
        """For a group that has scaled to `running` instances, at least one."""


@dataclass(frozen=True)
class InstanceRefresh:
    """UpdatePolicy AutoScalingInstanceRefresh: percentages of the group's capacity at that time.

    The documentation does not say how a fraction of an instance above the capacity is rounded. Taken here is the larger
    number, and one instance at least, as a group of one could not be replaced otherwise.
    """

    min_healthy_percent: int
    max_healthy_percent: int

    def plan(self, running: int) -> Plan:
        """Launches up to the upper percentage, waits until the new ones serve, then ends down to the lower one."""
        floor = ceil(running * self.min_healthy_percent / 100)
        ceiling = max(ceil(running * self.max_healthy_percent / 100), floor + 1)
        return _worst(_replaced(running, floor, ceiling))


@dataclass(frozen=True)
class RollingUpdate:
    """UpdatePolicy AutoScalingRollingUpdate: a number that stays in service, and a batch at a time.

    Scaling is suspended meanwhile. CloudFormation raises the capacity, if it must, so that a batch fits in.
    """

    min_in_service: int
    max_batch: int

    def plan(self, running: int) -> Plan:
        """Ends a batch only while enough others serve, and waits for the signals of those that take its place."""
        ceiling = max(running, self.min_in_service + self.max_batch)
        return _worst(_replaced(running, max(self.min_in_service, ceiling - self.max_batch), ceiling))


def policies(template: Template, values: Mapping[str, str]) -> dict[str, Rollout]:
    """Both rollouts of service.yaml by the value of its parameter `Rollout`, with these values of its parameters."""
    group = template["Resources"]["AutoScalingGroup"]["UpdatePolicy"]
    refresh = _chosen(group["AutoScalingInstanceRefresh"])["Preferences"]
    rolling = _chosen(group["AutoScalingRollingUpdate"])
    return {
        "instance-refresh": InstanceRefresh(
            _number(refresh["MinHealthyPercentage"], values), _number(refresh["MaxHealthyPercentage"], values)
        ),
        "rolling-update": RollingUpdate(
            _number(rolling["MinInstancesInService"], values), _number(rolling["MaxBatchSize"], values)
        ),
    }


def _replaced(running: int, floor: int, ceiling: int) -> Iterator[tuple[int, int]]:
    """In service, and existing, after each step; a launched instance serves once its launch step is over."""
    old, new = running, 0
    yield old, old
    while old:
        launched = ceiling - old - new
        yield old + new, ceiling
        new += launched
        old -= min(old, old + new - floor)
        yield old + new, old + new
    # What was launched beyond the capacity is ended again.
    yield min(new, running), new


def _worst(steps: Iterator[tuple[int, int]]) -> Plan:
    serving, existing = zip(*steps, strict=True)
    return Plan(min(serving), max(existing))


def _chosen(conditional: Any) -> Any:
    """The branch of an Fn::If that is not AWS::NoValue."""
    return next(branch for branch in conditional["Fn::If"][1:] if "Ref" not in branch)


def _number(value: Any, values: Mapping[str, str]) -> int:
    return int(values[value["Ref"]] if isinstance(value, dict) else value)
