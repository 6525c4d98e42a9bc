"""What the default deployment costs a month, counted from the templates."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from cloudformation.documents import prices
from cloudformation.documents.facts import Facts
from cloudformation.documents.prices import Price

HOURS = 730
"""In a month, as AWS's own calculator has it."""
AGENT = Path(__file__).parent.parent / "image" / "cloudwatch-agent.json"
_CENT = Decimal("0.01")
_LABEL_VALUES = {"deployment": 1, "intent": 11, "state": 1, "code": 3}
"""Series of a metric by label. All 11 intents are predicted; of the refusals' codes three are assumed."""
_LOGS_GB = 1
"""Assumed: requests are not in the logs, but each instance writes its metrics to them every minute."""
_RELEASES = 3
"""Assumed to be kept."""


@dataclass(frozen=True)
class Item:
    """One line of the bill."""

    what: str
    amount: Decimal
    price: Price

    @property
    def usd(self) -> Decimal:
        """A month, to the cent."""
        return (self.amount * self.price.usd).quantize(_CENT, ROUND_HALF_UP)


def items(facts: Facts) -> list[Item]:
    """Of the default deployment, idle or busy: only the load balancer's capacity units and the logs depend on load."""
    return [Item(what, Decimal(amount), price) for what, amount, price in _counted(facts)]


def total(of: list[Item]) -> Decimal:
    """The sum of the lines as they are shown."""
    return sum((item.usd for item in of), Decimal())


def table(of: list[Item]) -> str:
    """The bill in Markdown."""
    rows = ["| what | amount | price of one, USD | USD a month |", "|---|---:|---:|---:|"]
    rows += [f"| {item.what} | {item.amount:,} | {item.price.usd} | {item.usd:,.2f} |" for item in of]
    return "\n".join([*rows, f"| **together** | | | **{total(of):,.2f}** |"])


def sources(of: list[Item]) -> str:
    """Where each price stands and was read, in Markdown."""
    known = dict.fromkeys(item.price for item in of) | dict.fromkeys([prices.NAT_GATEWAY])
    rows = ["| price | AWS's page | read |", "|---|---|---|"]
    rows += [f"| {price.usd} USD per {price.unit} | <{price.page}> | {price.read} |" for price in known]
    return "\n".join(rows)


def agent_metrics(agent: Mapping[str, Any]) -> int:
    """The series that the CloudWatch agent with this configuration makes for the whole deployment."""
    machine = sum(len(each["measurement"]) for each in agent["metrics"]["metrics_collected"].values())
    declared = agent["logs"]["metrics_collected"]["prometheus"]["emf_processor"]["metric_declaration"]
    return machine + sum(_series(each) for each in declared)


def _counted(facts: Facts) -> Iterator[tuple[str, int, Price]]:
    group = facts.one("AWS::AutoScaling::AutoScalingGroup").properties
    template = facts.one("AWS::EC2::LaunchTemplate").properties["LaunchTemplateData"]
    disk = facts.one("AWS::ImageBuilder::ImageRecipe").properties["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"]
    instances, zones = int(group["DesiredCapacity"]), len(facts.zones())
    type_ = template["InstanceType"]
    public = instances if template["NetworkInterfaces"][0]["AssociatePublicIpAddress"] == "true" else 0
    yield f"{instances} instances, {type_}: hours", instances * HOURS, prices.INSTANCES[type_]
    yield f"their disks, {disk} GB each: GB", instances * disk, prices.VOLUME
    addresses = f"public IPv4 addresses, {public} of instances, {zones} of the load balancer: hours"
    yield addresses, (public + zones) * HOURS, prices.ADDRESS
    yield "load balancer: hours", HOURS, prices.LOAD_BALANCER
    yield "its capacity unit, at most 25 new connections a second and 1 GB an hour: hours", HOURS, prices.CAPACITY_UNIT
    alarms = [each.properties for each in facts.all("AWS::CloudWatch::Alarm")]
    watched = sum(map(_metrics, alarms))
    # Target tracking makes two of its own, one for each direction.
    own = 2 * len(facts.all("AWS::AutoScaling::ScalingPolicy"))
    yield f"metrics of {len(alarms)} alarms, and of {own} that the scaling policy makes", watched + own, prices.ALARM
    yield "metrics by the CloudWatch agent", agent_metrics(json.loads(AGENT.read_text())), prices.METRIC
    yield "logs: GB", _LOGS_GB, prices.LOGS
    yield "dashboard", len(facts.all("AWS::CloudWatch::Dashboard")), prices.DASHBOARD
    yield f"images of {_RELEASES} releases, at most {disk} GB each: GB", _RELEASES * disk, prices.SNAPSHOT


def _metrics(alarm: Mapping[str, Any]) -> int:
    """An alarm on an expression is charged for each metric in it."""
    return sum("MetricStat" in each for each in alarm["Metrics"]) if "Metrics" in alarm else 1


def _series(declaration: Mapping[str, Any]) -> int:
    (selector,), (labels,) = declaration["metric_selectors"], declaration["dimensions"]
    alternatives = re.search(r"\((.*)\)", selector)
    count = len(alternatives[1].split("|")) if alternatives else 1
    for label in labels:
        count *= _LABEL_VALUES[label]
    return count
