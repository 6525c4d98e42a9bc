"""The bill in docs/deployment.md: its counts are the templates', its sum is the sum of its lines."""

import json
import re
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from cloudformation.documents import cost, facts, prices
from cloudformation.documents.generated import DOCS
from cloudformation.template.files import KINDS, TEMPLATES, Template, load
from training.data.intents import INTENTS

LOADED = {kind: load(TEMPLATES[kind]) for kind in KINDS}


def templates(**parameters: dict[str, object]) -> dict[str, Template]:
    """All templates, with other defaults: `service={"DesiredCapacity": 3}`."""
    loaded = deepcopy(LOADED)
    for kind, defaults in parameters.items():
        for name, value in defaults.items():
            loaded[kind]["Parameters"][name]["Default"] = value
    return loaded


def bill(**parameters: dict[str, object]) -> list[cost.Item]:
    return cost.items(facts.read(templates(**parameters)))


def line(items: list[cost.Item], price: prices.Price) -> cost.Item:
    (found,) = (item for item in items if item.price == price)
    return found


def test_the_sum_that_is_shown_is_that_of_the_lines_that_are_shown() -> None:
    section = (DOCS / "deployment.md").read_text().partition("<!-- generated: cost -->")[2].partition("<!--")[0]
    lines = re.findall(r"^\| [^*|]+ \| ([\d,]+) \| ([\d.]+) \| ([\d.]+) \|$", section, re.MULTILINE)
    (total,) = re.findall(r"\*\*([\d.]+)\*\*", section)
    assert len(lines) == len(bill())
    for amount, price, usd in lines:
        assert abs(Decimal(amount.replace(",", "")) * Decimal(price) - Decimal(usd)) <= Decimal("0.005")
    assert sum(Decimal(usd) for _, _, usd in lines) == Decimal(total)


def test_the_default_is_two_small_machines_in_two_zones() -> None:
    items = bill()
    assert line(items, prices.INSTANCES["t2.micro"]).amount == 2 * cost.HOURS
    assert line(items, prices.ADDRESS).amount == 4 * cost.HOURS
    assert line(items, prices.LOAD_BALANCER).usd == Decimal("16.43")


@pytest.mark.parametrize(
    ("parameters", "price", "difference"),
    [
        ({"service": {"DesiredCapacity": 3}}, prices.INSTANCES["t2.micro"], cost.HOURS),
        ({"service": {"DesiredCapacity": 3}}, prices.ADDRESS, cost.HOURS),
        ({"network": {"ZoneCount": "3"}}, prices.ADDRESS, cost.HOURS),
        ({"service": {"AssociatePublicIp": "false"}}, prices.ADDRESS, -2 * cost.HOURS),
        ({"observability": {"InstanceType": "m7i.large"}}, prices.ALARM, -1),
    ],
)
def test_other_defaults_cost_otherwise(parameters: Any, price: prices.Price, difference: int) -> None:
    assert line(bill(**parameters), price).amount - line(bill(), price).amount == difference


def test_a_type_without_a_price_is_no_silent_zero() -> None:
    with pytest.raises(KeyError, match=r"c7i\.large"):
        bill(service={"InstanceType": "c7i.large"})


def test_every_label_of_the_agents_metrics_is_counted() -> None:
    agent = json.loads(cost.AGENT.read_text())
    declared = agent["logs"]["metrics_collected"]["prometheus"]["emf_processor"]["metric_declaration"]
    intents = [each for each in declared if each["dimensions"] == [["deployment", "intent"]]]
    assert intents
    # One series for each intent and metric that matches.
    without = json.loads(json.dumps(agent))
    without["logs"]["metrics_collected"]["prometheus"]["emf_processor"]["metric_declaration"] = [
        each for each in declared if each not in intents
    ]
    assert cost.agent_metrics(agent) - cost.agent_metrics(without) == len(intents) * len(INTENTS)


def test_every_price_says_where_it_stands_and_of_when_it_is() -> None:
    for item in bill():
        assert item.price.page.startswith("https://aws.amazon.com/")
        assert re.search(r"\b20\d\d\b|no date", item.price.read), item.price
