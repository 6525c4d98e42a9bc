"""Laws that hold for any queue hold for a simulated instance."""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.capacity import arrivals, response
from benchmarks.capacity.instance import ANSWERED, LATE, REFUSED, Costs, Limits, simulate
from benchmarks.capacity.processor import Processor, Station

PLENTY = 10**9
QUEUE = Limits(PLENTY, PLENTY, PLENTY, 1, 1, 1, math.inf)
"""One server, one row at a time, room for all."""
ROW = Costs(0, 0, 0, 1.0)
INSTANCE = Limits(32, 64, 4, 8, 2, 32, 2.0)
COSTS = Costs(0.0002, 0.0005, 0.0005, 0.0035)


def poisson(rate: float, seconds: int, seed: int = 1) -> np.ndarray:
    return arrivals.instants(arrivals.constant(rate, seconds), seed)


def rows(count: int) -> np.ndarray:
    return np.random.default_rng(0).lognormal(-0.02, 0.2, count)


@pytest.mark.parametrize("utilisation", [0.3, 0.6, 0.8])
def test_one_server_with_exponential_times_is_mm1(utilisation: float) -> None:
    instants = poisson(utilisation, 200_000)
    work = np.random.default_rng(2).exponential(size=len(instants))

    outcome = simulate(instants, work, ROW, QUEUE, 1)

    mean = 1 / (1 - utilisation)
    times = outcome.latencies[2000:]
    assert times.mean() == pytest.approx(mean, rel=0.06)
    # Sojourn times of M/M/1 are exponential.
    assert np.percentile(times, 50) == pytest.approx(mean * math.log(2), rel=0.06)
    assert np.percentile(times, 99) == pytest.approx(mean * math.log(100), rel=0.12)


def test_cores_are_busy_for_exactly_the_work_that_there_was() -> None:
    processor = Processor(2)
    station = Station(processor, 3)
    seconds = [0.5, 1.0, 2.0, 0.25, 1.5]
    ends: list[float] = []
    for each in seconds:
        station.do(each, lambda: ends.append(processor.now))

    processor.run(np.array([]), lambda _: None)

    assert processor.busy == pytest.approx(sum(seconds))
    assert len(ends) == len(seconds)
    assert max(ends) >= sum(seconds) / 2


def test_jobs_share_the_cores_equally() -> None:
    processor = Processor(1)
    ends: dict[str, float] = {}
    processor.work(1.0, lambda: ends.update(short=processor.now))
    processor.work(3.0, lambda: ends.update(long=processor.now))

    processor.run(np.array([]), lambda _: None)

    assert ends == {"short": pytest.approx(2.0), "long": pytest.approx(4.0)}


def test_utilisation_is_arrival_rate_times_service_time() -> None:
    instants = poisson(100, 200)

    outcome = simulate(instants, np.ones(len(instants)), replace(ROW, model_row=0.004), QUEUE, 1)

    assert outcome.service / instants[-1] == pytest.approx(len(instants) / instants[-1] * 0.004)
    assert outcome.service / instants[-1] == pytest.approx(0.4, rel=0.03)


@pytest.mark.parametrize("rate", [50, 400, 600, 2000])
def test_every_request_has_one_fate(rate: float) -> None:
    instants = poisson(rate, 20)

    outcome = simulate(instants, rows(len(instants)), COSTS, INSTANCE, 2)

    assert sorted(set(outcome.fates.tolist())) in ([ANSWERED], [ANSWERED, REFUSED])
    assert not np.isnan(outcome.latencies).any()
    assert (outcome.latencies > 0).all()


def test_waiting_requests_share_calls_of_bounded_size() -> None:
    calm, busy = (simulate(poisson(rate, 20), rows(len(poisson(rate, 20))), COSTS, INSTANCE, 2) for rate in (20, 900))

    assert len(calm.fates) / calm.calls < 1.05
    answered = int((busy.fates == ANSWERED).sum())
    assert 4 < answered / busy.calls <= INSTANCE.max_combined_texts


def test_what_does_not_fit_is_refused() -> None:
    at_once = np.linspace(0, 1e-6, 200)
    limits = replace(INSTANCE, max_in_flight=10, max_queue=20)

    outcome = simulate(at_once, np.ones(200), replace(COSTS, gateway_request=0.0), limits, 2)

    assert (outcome.fates == ANSWERED).sum() == 30
    assert (outcome.fates == REFUSED).sum() == 170


def test_who_waits_longer_than_the_deadline_is_told_so_and_takes_no_more_of_the_model() -> None:
    at_once = np.linspace(0, 1e-6, 100)
    limits = replace(INSTANCE, max_in_flight=50, max_queue=100, max_calls=1, max_combined_texts=1, deadline=0.1)

    outcome = simulate(at_once, np.ones(100), Costs(0, 0, 0, 0.01), limits, 1)

    assert (outcome.fates == ANSWERED).sum() <= 10
    assert (outcome.fates == LATE).sum() == 100 - (outcome.fates == ANSWERED).sum()
    assert outcome.service <= 0.12


def test_the_same_arrivals_over_more_instances_never_have_a_worse_p99() -> None:
    instants = poisson(700, 60)
    work = rows(len(instants))

    def p99(count: int) -> float:
        outcomes = [simulate(instants[i::count], work[i::count], COSTS, INSTANCE, 2) for i in range(count)]
        return float(np.percentile(np.concatenate([each.latencies for each in outcomes]), 99))

    found = [p99(count) for count in range(1, 6)]

    assert found == sorted(found, reverse=True)


def test_the_same_seed_gives_the_same_figures() -> None:
    first, second = (simulate(poisson(450, 10), rows(len(poisson(450, 10))), COSTS, INSTANCE, 2) for _ in range(2))

    assert np.array_equal(first.latencies, second.latencies)
    assert np.array_equal(first.fates, second.fates)


@pytest.fixture(scope="module")
def answers() -> response.Response:
    return response.simulate_loads(COSTS, INSTANCE, 2, 0.2, 1)


def test_a_higher_load_never_answers_more_or_sooner(answers: response.Response) -> None:
    p50, answered = answers.at(50), answers.shares.sum(axis=1)

    assert (np.diff(answers.loads) > 0).all()
    assert (np.diff(answered) < 1e-3).all()
    # A bin is 2 % wide.
    assert (p50[1:] > p50[:-1] * 0.96).all()
    assert answered[0] == 1
    assert answered[-1] < 0.5


def test_weights_keep_every_request(answers: response.Response) -> None:
    loads, requests = np.array([0.0, 90.0, 333.0, 99_999.0]), np.array([1.0, 20.0, 300.0, 4000.0])

    assert answers.weights(loads, requests).sum() == pytest.approx(requests.sum())


@pytest.mark.parametrize("rate", [200, 380, 700])
def test_looked_up_loads_agree_with_a_simulation_of_their_own(answers: response.Response, rate: float) -> None:
    instants = poisson(rate, 120, seed=9)

    outcome = simulate(instants, rows(len(instants)), COSTS, INSTANCE, 2)

    answered = outcome.fates == ANSWERED
    p99 = np.percentile(outcome.latencies[answered], 99)
    assert answers.percentile(np.array([rate]), np.array([1.0]), 99) == pytest.approx(p99, rel=0.2)
    assert answers.answered(np.array([rate]))[0] == pytest.approx(answered.mean(), abs=0.03)
