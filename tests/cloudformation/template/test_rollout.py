"""The arithmetic of both rollouts, with the numbers, constraints and Rules of the template itself."""

from itertools import product

import pytest

from cloudformation.errors import UsageError
from cloudformation.template.files import TEMPLATES, load
from cloudformation.template.parameters import resolve
from cloudformation.template.rollout import InstanceRefresh, Plan, RollingUpdate, policies

SERVICE = load(TEMPLATES["service"])
OUTPUTS = {
    "ImageParameter": "/intent/images/1-000000000001",
    "InstanceSecurityGroupId": "sg-00000001",
    "InstanceSubnetIds": "subnet-00000001,subnet-00000002",
    "LoadBalancerFullName": "app/intent/0123456789abcdef",
    "RolloutAlarmNames": "intent-target-5xx",
    "TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/intent/0123456789abcdef",
    "TargetGroupFullName": "targetgroup/intent/0123456789abcdef",
}
ROLLOUTS = ("instance-refresh", "rolling-update")


def values(minimum: int, desired: int, maximum: int) -> dict[str, str] | None:
    """The service's parameters with these sizes; None if the template refuses them."""
    sizes = {"MinSize": str(minimum), "DesiredCapacity": str(desired), "MaxSize": str(maximum)}
    try:
        return resolve(SERVICE, {**OUTPUTS, **sizes})
    except UsageError:
        return None


# One beyond every limit of the template.
GRID = [(sizes, values(*sizes)) for sizes in product(range(11), range(11), range(12))]
ALLOWED = [(sizes, allowed) for sizes, allowed in GRID if allowed is not None]
REFUSED = [sizes for sizes, allowed in GRID if allowed is None]


def test_the_default_is_allowed_and_so_is_every_size_that_makes_sense() -> None:
    assert len(ALLOWED) == sum(10 - desired for desired in range(1, 10) for _minimum in range(1, desired + 1))
    assert (1, 2, 3) in [sizes for sizes, _ in ALLOWED]


def test_only_what_cannot_be_rolled_out_is_refused() -> None:
    within = [(low, want, high) for low, want, high in REFUSED if low in range(1, 10) and want in range(1, 10)]
    within = [(low, want, high) for low, want, high in within if high in range(2, 11)]
    assert within
    for low, want, high in within:
        assert low > want or RollingUpdate(want, 1).plan(want).most > high


@pytest.mark.parametrize("rollout", ROLLOUTS)
def test_never_below_desired_nor_above_maximum(rollout: str) -> None:
    for (_, desired, maximum), allowed in ALLOWED:
        plan = policies(SERVICE, allowed)[rollout].plan(desired)
        assert plan.fewest >= desired, (desired, maximum)
        assert plan.most <= maximum, (desired, maximum)


def test_rolling_update_holds_at_whatever_size_the_load_has_scaled_to() -> None:
    for (minimum, desired, maximum), allowed in ALLOWED:
        for running in range(minimum, maximum + 1):
            plan = policies(SERVICE, allowed)["rolling-update"].plan(running)
            assert plan.fewest >= min(running, desired), (running, desired, maximum)
            assert plan.most <= maximum, (running, desired, maximum)


def test_instance_refresh_takes_one_more_at_whatever_size() -> None:
    for (minimum, desired, maximum), allowed in ALLOWED:
        # At the very maximum there is no room for it: the command refuses until the group has scaled in.
        for running in range(minimum, maximum):
            plan = policies(SERVICE, allowed)["instance-refresh"].plan(running)
            assert plan == Plan(fewest=running, most=running + 1), (running, desired, maximum)


@pytest.mark.parametrize(
    ("rollout", "running", "plan"),
    [
        (InstanceRefresh(100, 110), 1, Plan(1, 2)),
        (InstanceRefresh(100, 110), 10, Plan(10, 11)),
        (InstanceRefresh(100, 200), 3, Plan(3, 6)),
        (InstanceRefresh(50, 100), 4, Plan(2, 4)),
        (RollingUpdate(2, 1), 2, Plan(2, 3)),
        (RollingUpdate(2, 1), 3, Plan(2, 3)),
        (RollingUpdate(0, 1), 2, Plan(1, 2)),
        (RollingUpdate(2, 2), 2, Plan(2, 4)),
    ],
)
def test_the_model_tells_other_numbers_apart(
    rollout: InstanceRefresh | RollingUpdate, running: int, plan: Plan
) -> None:
    assert rollout.plan(running) == plan
