"""Whether an operation on a deployment may begin: looked at before the first question is asked."""

from collections.abc import Mapping

from cloudformation.errors import RefusedError
from cloudformation.operate import drift
from cloudformation.operate.aws import Aws
from cloudformation.operate.fleet import Fleet
from cloudformation.operate.stacks import Stack


def require_updatable(name: str, stacks: Mapping[str, Stack | None], *, is_new_allowed: bool) -> None:
    """
    Args:
        name: the deployment's.
        stacks: by kind, None for those that are not there.

    Raises:
        RefusedError: a stack is in no state for a change; or there is no service, though there must be.
    """
    for stack in stacks.values():
        if stack:
            stack.require_updatable()
    service = stacks["service"]
    if not is_new_allowed and not (service and service.is_whole):
        raise RefusedError(f"{name} does not serve yet; finish it with `deploy`")


def require_settled(aws: Aws, balancer: Stack, service: Stack, *, ignores_alarms: bool) -> None:
    """
    Raises:
        RefusedError: instances are being replaced, or an alarm rings that would stop a rollout.
    """
    fleet = Fleet(aws, (balancer, service))
    refresh = fleet.refresh()
    if refresh and refresh.is_under_way:
        raise RefusedError(
            f"instance refresh {refresh.id} is {refresh.status}, {refresh.percent} % done; wait until `status` shows "
            "its end, or stop it with `aws autoscaling cancel-instance-refresh --auto-scaling-group-name "
            f"{service.outputs['AutoScalingGroupName']}`"
        )
    stopping = balancer.outputs["RolloutAlarmNames"].split(",")
    ringing = [alarm.name for alarm in fleet.alarms() if alarm.rings and alarm.name in stopping]
    if ringing and not ignores_alarms:
        raise RefusedError(
            f"{', '.join(ringing)} rings, so a rollout would be rolled back at once; `status` says why. Back to the "
            "release before: `rollback`. To go on all the same: --ignore-alarms"
        )


def require_room(aws: Aws, service: Stack, values: Mapping[str, str]) -> None:
    """
    Args:
        values: the service's parameters as they will be.

    Raises:
        RefusedError: a new image is to come by instance refresh, which starts one more, and the group is full.
    """
    group = Fleet(aws, (service,)).group()
    if values["Rollout"] == "instance-refresh" and group and group.desired >= int(values["MaxSize"]):
        raise RefusedError(
            f"{group.name} has scaled to {group.desired} instances of at most {values['MaxSize']}, and an instance "
            "refresh starts one more before it ends an old one; wait until it has scaled in, or raise the limit with "
            f"-p MaxSize={group.desired + 1}"
        )


def require_no_drift(aws: Aws, stacks: Mapping[str, Stack | None]) -> None:
    """
    Raises:
        RefusedError: somebody changed resources by hand; lists them.
    """
    present = [stack for stack in stacks.values() if stack and stack.is_whole]
    drifts = [each for stack in present for each in drift.detect(aws.cloudformation, stack.name)]
    if drifts:
        lines = "".join(f"\n  {each.stack}: {each.logical_id} {each.what}" for each in drifts)
        raise RefusedError(
            f"somebody changed resources by hand:{lines}\n  undo it, or take it into the parameters; to go on all the "
            "same, leave --check-drift out"
        )
