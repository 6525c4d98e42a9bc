"""The fleet scales, loses and replaces instances as its templates say, and pays for all of them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.capacity import prices, template
from benchmarks.capacity.events import REPLACE_SECONDS, LostZone, Refresh, Rolling, play
from benchmarks.capacity.fleet import Fleet, Size

POLICY = template.policy()
SIZE = Size(target=100, fewest=2, most=20, start_seconds=75)
HOUR = 3600


def constant(rate: float, seconds: int = HOUR) -> np.ndarray:
    return np.full(seconds, rate)


def test_policy_is_what_the_templates_say() -> None:
    assert POLICY.out_of_rotation == 15
    assert POLICY.into_rotation == 10
    assert POLICY.warm_up == 120
    assert POLICY.zones == 2
    assert POLICY.refresh.plan(2).fewest == 2
    assert template.limits(2, 32).max_in_flight == template.instance_settings()["max_in_flight"]


def test_three_minutes_above_the_target_start_what_is_missing() -> None:
    requests = np.concatenate([constant(150, 600), constant(950, 1200)])

    history = play(Fleet(POLICY, SIZE, 2), requests)

    changed = int(np.flatnonzero(np.diff(history.serving))[0]) + 1
    assert changed == 600 + 3 * 60 + SIZE.start_seconds
    assert history.serving[-1] == 10
    # Paid from the launch on.
    assert history.paid[600 + 3 * 60 + 1] == 10


def test_fifteen_minutes_below_nine_tenths_end_what_is_too_much() -> None:
    history = play(Fleet(POLICY, SIZE, 10), constant(500, 2 * HOUR))

    changed = int(np.flatnonzero(np.diff(history.serving))[0]) + 1
    assert changed == 15 * 60
    assert history.serving[-1] == 5
    # They are paid while they finish what runs.
    assert history.paid[changed + POLICY.draining - 1] == 10
    assert history.paid[changed + POLICY.draining] == 5


@pytest.mark.parametrize(("rate", "end"), [(0, SIZE.fewest), (99_999, SIZE.most)])
def test_bounds_hold(rate: float, end: int) -> None:
    history = play(Fleet(POLICY, SIZE, 5), constant(rate, 4 * HOUR))

    assert history.serving.min() >= SIZE.fewest
    assert history.serving.max() <= SIZE.most
    assert history.serving[-1] == end


def test_a_lost_zone_fails_what_is_sent_there_and_comes_back() -> None:
    event = LostZone(600)

    history = play(Fleet(POLICY, SIZE, 7), constant(650), event)

    lost = math.ceil(7 / POLICY.zones)
    assert history.serving[600] == 7 - lost
    assert history.reaching[600] == pytest.approx((7 - lost) / 7)
    assert history.reaching[600 + POLICY.out_of_rotation - 1] < 1
    assert history.reaching[600 + POLICY.out_of_rotation] == 1
    assert history.loads[600 + POLICY.out_of_rotation] == pytest.approx(650 / (7 - lost))
    assert event.end == 600 + POLICY.out_of_rotation + REPLACE_SECONDS + SIZE.start_seconds + 1
    assert history.serving[event.end] == 7


def test_nobody_is_reached_when_the_only_instance_is_lost() -> None:
    history = play(Fleet(POLICY, replace(SIZE, fewest=1), 1), constant(10), LostZone(600))

    assert (history.reaching[600:615] == 0).all()
    assert history.reaching[-1] == 1


@pytest.mark.parametrize("running", [1, 2, 5, 9, 40, 400])
def test_a_refresh_replaces_all_and_never_serves_with_fewer(running: int) -> None:
    event = Refresh(300)
    size = replace(SIZE, fewest=1, most=1000)

    history = play(Fleet(POLICY, size, running), constant(100 * running * 0.95, 4 * HOUR), event)

    plan = POLICY.refresh.plan(running)
    assert history.serving.min() >= plan.fewest
    assert (history.serving <= plan.most).all()
    assert history.serving[-1] == running
    batches = math.ceil(running / (plan.most - running))
    assert event.end == 300 + batches * (SIZE.start_seconds + POLICY.warm_up)


def test_a_rolling_update_goes_one_by_one_while_scaling_is_suspended() -> None:
    event = Rolling(300)
    requests = np.concatenate([constant(190, 310), constant(2000, HOUR)])

    history = play(Fleet(POLICY, SIZE, 2), requests, event)

    assert event.end == 300 + 2 * SIZE.start_seconds
    assert history.serving[300 : event.end].max() <= 3
    assert history.serving[300 : event.end].min() == 2
    # Afterwards it scales again.
    assert history.serving[-1] == 20


def test_a_rolling_update_of_a_fleet_that_has_scaled_out_ends_one_first() -> None:
    event = Rolling(300)

    history = play(Fleet(POLICY, SIZE, 6), constant(590), event)

    assert history.serving[300 : event.end].min() == 5
    assert history.serving[-1] == 6


def test_the_bill_grows_with_instances_and_requests() -> None:
    type_ = prices.TYPES[0]
    hour, sizes = np.ones(HOUR, int), (200.0, 400.0)

    one = prices.bill(type_, hour, constant(10), sizes, 2)
    two = prices.bill(type_, 2 * hour, constant(10), sizes, 2)
    busy = prices.bill(type_, hour, constant(10_000), sizes, 2)

    assert two.instances == pytest.approx(2 * one.instances)
    # 730 hours of instance and address, and 8 GB.
    assert one.instances == pytest.approx(730 * (0.0116 + 0.005) + 8 * 0.08)
    # 10,000 a second of 600 bytes are 21.6 GB an hour, a capacity unit each.
    assert busy.load_balancer == pytest.approx(730 * (0.0225 + 2 * 0.005 + 21.6 * 0.008))
    assert busy.traffic == pytest.approx(10_000 * 400 * 3600 * 730 / 1e9 * 0.09)
