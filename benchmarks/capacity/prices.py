"""What a fleet costs: list prices of us-east-1, on demand. All but two are those of docs/deployment.md.

Counted are instances with disk and public address, the load balancer, and traffic out to clients on the internet.
Not counted: metrics, logs, alarms, images (12 USD a month in docs/deployment.md), and any discount.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from benchmarks.capacity.arrivals import Array
from cloudformation.documents import prices
from cloudformation.documents.cost import HOURS
from cloudformation.documents.prices import Price

_ON_DEMAND = "https://aws.amazon.com/ec2/pricing/on-demand/"
C7I_LARGE = Price(
    Decimal("0.08925"),
    "instance-hour",
    _ON_DEMAND,
    "price tables in the sources of several public repositories, no date",
)
TRAFFIC = Price(
    Decimal("0.09"), "GB out to the internet", _ON_DEMAND, "github.com/ctaminian/aws-cost-estimator, no date"
)
"""Of the first 10 TB a month; more costs less, so what is shown is the most it can be."""
DISK_GB = 8
"""Of an instance, as the image has it."""
REQUESTS_PER_CONNECTION = 100
"""Assumed of the clients, for the load balancer's new connections."""
UNIT_CONNECTIONS, UNIT_GB_AN_HOUR = 25, 1
"""New connections a second, and GB an hour, that one capacity unit holds."""


@dataclass(frozen=True)
class Type:
    """An instance type. `sustained` is the share of its cores that it may use for ever: its CPU credits last."""

    name: str
    cores: int
    sustained: float
    price: Price


TYPES = (
    # 6 credits an hour, each a minute of its core.
    Type("t2.micro", 1, 0.1, prices.INSTANCES["t2.micro"]),
    Type("c7i.large", 2, 1.0, C7I_LARGE),
)
"""The default of the template, and the one that its runbook names for load without credits."""


@dataclass(frozen=True)
class Bill:
    """USD a month of 730 hours."""

    instances: float
    load_balancer: float
    traffic: float

    @property
    def fleet(self) -> float:
        """Without traffic."""
        return self.instances + self.load_balancer


def bill(type_: Type, instances: Array, requests: Array, sizes: tuple[float, float], zones: int) -> Bill:
    """Of a fleet with so many instances in each second [seconds], also those that start or end.

    `requests` are those of each second [seconds], `sizes` the bytes of a request and of its answer.
    """
    disk = float(prices.VOLUME.usd) * DISK_GB
    one = (float(type_.price.usd) + float(prices.ADDRESS.usd)) * HOURS + disk
    rate = float(requests.mean())
    gigabytes = requests * sum(sizes) * 3600 / 1e9
    units = np.maximum(requests / REQUESTS_PER_CONNECTION / UNIT_CONNECTIONS, gigabytes / UNIT_GB_AN_HOUR)
    balancer = float(prices.LOAD_BALANCER.usd) + float(prices.CAPACITY_UNIT.usd) * float(units.mean())
    balancer += float(prices.ADDRESS.usd) * zones
    out = rate * sizes[1] * 3600 * HOURS / 1e9
    return Bill(float(instances.mean()) * one, balancer * HOURS, out * float(TRAFFIC.usd))
