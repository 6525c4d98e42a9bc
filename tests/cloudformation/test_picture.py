"""The picture says what the templates say, fits its page, and leaves nothing out by accident."""

import re
from copy import deepcopy
from typing import Any
from xml.etree import ElementTree

import pytest

from cloudformation.documents import facts, look, picture
from cloudformation.template.files import KINDS, TEMPLATES, Template, load

SVG = "{http://www.w3.org/2000/svg}"


LOADED = {kind: load(TEMPLATES[kind]) for kind in KINDS}


def templates() -> dict[str, Template]:
    """A copy of all."""
    return deepcopy(LOADED)


def drawn(loaded: dict[str, Template]) -> str:
    return picture.draw(facts.read(loaded))


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_same_templates_give_the_same_bytes() -> None:
    assert drawn(templates()) == drawn(templates())


def set_default(name: str, value: Any) -> Any:
    def change(loaded: dict[str, Template]) -> None:
        for template in loaded.values():
            if name in template.get("Parameters", {}):
                template["Parameters"][name]["Default"] = value

    return change


def set_property(stack: str, name: str, key: str, value: Any) -> Any:
    def change(loaded: dict[str, Template]) -> None:
        loaded[stack]["Resources"][name]["Properties"][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (set_default("MaxSize", 7), r"1 to 7 instances"),
        (set_default("InstanceType", "t3.small"), r"instance, t3\.small"),
        (set_default("Rollout", "rolling-update"), r"by rolling update"),
        (set_default("VpcCidr", "172.31.0.0/16"), r"VPC 172\.31\.0\.0/16"),
        (set_default("ZoneCount", "3"), r"zone 3 · subnet 10\.0\.32\.0/20"),
        (set_default("PrivateInstances", "yes"), r"zone 1 · subnet .* and subnet 10\.0\.128\.0/20"),
        (set_default("CertificateArn", "arn"), r"HTTPS 443, HTTP 80|HTTP 80, HTTPS 443"),
        (set_default("RequestsPerTarget", 1234), r"1,234 requests a minute"),
        (set_property("balancer", "TargetGroup", "Port", 8080), None),
        (set_property("balancer", "TargetGroup", "HealthCheckPath", "/other"), r"GET /other every"),
        (set_property("network", "InternetGateway", "Tags", []), ""),
    ],
)
def test_what_changes_in_the_templates_changes_in_the_picture(change: Any, shown: str | None) -> None:
    loaded = templates()
    change(loaded)
    if shown is None:
        # Nobody is admitted to that port: a picture with an arrow to it would lie.
        with pytest.raises(ValueError, match="not enough values"):
            drawn(loaded)
    elif shown == "":
        assert drawn(loaded) == drawn(templates())
    else:
        assert any(re.search(shown, each) for each in words(drawn(loaded)))
        assert not any(re.search(shown, each) for each in words(drawn(templates())))


def test_every_alarm_is_named() -> None:
    shown = " ".join(words(drawn(templates())))
    alarms = facts.read(templates()).all("AWS::CloudWatch::Alarm")
    assert alarms
    for alarm in alarms:
        assert str(alarm.properties["AlarmName"]).removeprefix("intent-") in shown


def test_every_stack_has_its_colour_and_its_place() -> None:
    assert set(look.COLOURS) == set(KINDS)
    shown = words(drawn(templates()))
    for kind in KINDS:
        # In the legend, and at what it makes.
        assert shown.count(f"intent-{kind}") == 2


def test_a_type_that_nobody_has_thought_of_is_refused() -> None:
    loaded = templates()
    loaded["service"]["Resources"]["Queue"] = {"Type": "AWS::SQS::Queue"}
    with pytest.raises(KeyError, match="AWS::SQS::Queue"):
        drawn(loaded)


def test_no_type_is_both_shown_and_left_out_or_in_no_template() -> None:
    used = {body["Type"] for template in templates().values() for body in template["Resources"].values()}
    assert not set(facts.SHOWN) & facts.LEFT_OUT.keys()
    assert set(facts.SHOWN) | facts.LEFT_OUT.keys() == used


def test_all_of_it_is_on_the_page() -> None:
    root = ElementTree.fromstring(drawn(templates()))
    for box in root.iter(f"{SVG}rect"):
        x, y, width, height = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + width <= look.WIDTH
        assert 0 <= y <= y + height <= look.HEIGHT
    for line in root.iter(f"{SVG}text"):
        # Of a letter, about; the titles are larger and bold.
        width = 7.6 if line.attrib["class"] == "title" else 6.5
        x, length = float(line.attrib["x"]), width * len(line.text or "")
        begin = {"start": x, "middle": x - length / 2, "end": x - length}[line.attrib["text-anchor"]]
        assert begin >= 0, line.text
        assert begin + length <= look.WIDTH, line.text
