"""How one instance answers at each load: latencies, refusals, CPU; simulated once, looked up by the fleet.

A fleet of hundreds of instances cannot be simulated request by request, and need not be. The balancer splits the
arrivals over n instances; seen by one of them a Poisson stream thinned at random is a Poisson stream of rate/n, so one
instance under Poisson arrivals stands for all. (Round robin splits more evenly than at random, so real waits are rather
shorter.) An instance forgets its past in the time in which it empties its queue, which admission bounds to well below
a second or two; the fleet's load changes more slowly. So each second of the fleet is taken as the stationary state at
that second's load per instance ("quasi-stationary"). As the queue is bounded there is one also above capacity.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.capacity.arrivals import Array
from benchmarks.capacity.instance import ANSWERED, Costs, Limits, simulate

SHARES = (*np.arange(0.02, 0.2, 0.06), *np.arange(0.2, 1.1, 0.05), 1.15, 1.25, 1.5, 2.0, 3.0, 5.0)
"""Loads that are simulated, as shares of what the cores could do with full calls."""
REQUESTS = 20_000
WARM_UP = 0.1
"""Of the requests, at the beginning, that do not count: the queue fills."""
EDGES = np.geomspace(2e-4, 20, 601)
"""Of the bins of latency, s; 2 % wide."""
_MIDDLES = np.sqrt(EDGES[1:] * EDGES[:-1])


@dataclass(frozen=True)
class Response:
    """By load; what is between two simulated loads is interpolated.

    Attributes:
        loads: requests a second and instance, ascending, float64 [loads].
        shares: of the requests that come, those answered within each bin, float64 [loads, bins].
        cpu: share of the cores, float64 [loads].
    """

    loads: Array
    shares: Array
    cpu: Array

    def weights(self, loads: Array, requests: Array) -> Array:
        """Requests that met each simulated load, float64 [loads], from those of each second [seconds]."""
        at = np.clip(loads, self.loads[0], self.loads[-1])
        upper = np.clip(np.searchsorted(self.loads, at), 1, len(self.loads) - 1)
        part = (at - self.loads[upper - 1]) / (self.loads[upper] - self.loads[upper - 1])
        count = len(self.loads)
        low = np.bincount(upper - 1, weights=requests * (1 - part), minlength=count)
        return low + np.bincount(upper, weights=requests * part, minlength=count)

    def answered(self, loads: Array) -> Array:
        """Share of the requests that is answered at these loads, same shape."""
        return np.interp(loads, self.loads, self.shares.sum(axis=1))

    def percentile(self, loads: Array, requests: Array, percent: float) -> float:
        """Seconds within which so many of the answers came; 0 without any."""
        return quantile(self.weights(loads, requests) @ self.shares, percent)

    def at(self, percent: float) -> Array:
        """The percentile at each simulated load, s, float64 [loads]."""
        return np.array([quantile(each, percent) for each in self.shares])

    def largest(self, fits: Array) -> float:
        """The largest simulated load up to which `fits`, bool [loads], holds without a gap; 0 if it never does."""
        failing = np.flatnonzero(~fits)
        first = int(failing[0]) if len(failing) else len(fits)
        return float(self.loads[first - 1]) if first else 0.0


def quantile(histogram: Array, percent: float) -> float:
    """The latency in s below which so many percent of a histogram over the bins are."""
    sums = np.cumsum(histogram)
    if not sums[-1]:
        return 0.0
    return float(_MIDDLES[min(int(np.searchsorted(sums, sums[-1] * percent / 100)), len(_MIDDLES) - 1)])


def simulate_loads(costs: Costs, limits: Limits, cores: int, variation: float, seed: int) -> Response:
    """The same gaps between arrivals, scaled, and the same rows at every load: the loads differ by nothing but load."""
    random = np.random.default_rng([seed, 3])
    gaps, normals = random.exponential(size=REQUESTS), random.normal(size=REQUESTS)
    work = np.exp(variation * normals - variation**2 / 2)
    ideal = cores / least_cpu(costs, limits)
    skipped = int(REQUESTS * WARM_UP)
    shares, cpu = [], []
    for share in SHARES:
        arrivals = np.cumsum(gaps) / (share * ideal)
        outcome = simulate(arrivals, work, costs, limits, cores)
        answered = outcome.latencies[skipped:][outcome.fates[skipped:] == ANSWERED]
        histogram, _ = np.histogram(np.clip(answered, EDGES[0], EDGES[-1]), EDGES)
        shares.append(histogram / (REQUESTS - skipped))
        cpu.append(min(1.0, outcome.service / arrivals[-1] / cores))
    return Response(np.array(SHARES) * ideal, np.array(shares), np.array(cpu))


def least_cpu(costs: Costs, limits: Limits) -> float:
    """Core-seconds of a request whose call is full."""
    call = (costs.gateway_call + costs.model_call) / limits.max_combined_texts
    return costs.gateway_request + costs.model_row + call
