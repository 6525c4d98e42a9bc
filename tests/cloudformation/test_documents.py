"""What docs/ says of the templates and of the command is so."""

import json
import os
import re
import shlex
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from cloudformation.__main__ import _parser
from cloudformation.operate.release import ROOT
from cloudformation.template import inputs
from cloudformation.template.files import KINDS, TEMPLATES, load
from cloudformation.template.parameters import Parameter, declared
from cloudformation.template.rollout import policies
from cloudformation.template.values import Values
from training.data.intents import INTENTS

DOCS = ROOT / "docs"
IMAGE = ROOT / "cloudformation/image"
DEPLOYMENT = (DOCS / "deployment.md").read_text()
RUNBOOK = (DOCS / "runbook.md").read_text()
LOADED = {kind: load(TEMPLATES[kind]) for kind in KINDS}
HOURS = 730
# What the page says it assumes: three codes of refused requests, 1 GB of logs, three releases.
LABEL_VALUES = {"deployment": 1, "intent": len(INTENTS), "state": 1, "code": 3}


def rows(document: str, head: str) -> list[list[str]]:
    """The cells of the table that begins with this row, without it and the line below it."""
    table = document.partition(f"\n{head}\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in table.splitlines()[1:]]


def resources(type_: str) -> list[dict[str, Any]]:
    """The evaluated properties of the resources of this type that the default deployment has."""
    return [
        properties
        for template in LOADED.values()
        for properties in Values(template, {"DeploymentName": "intent"}).resources(type_).values()
    ]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if declared(LOADED[kind])])
def test_every_parameter_is_documented(kind: str) -> None:
    section = DEPLOYMENT.partition(f"\n### {kind}.yaml\n")[2].partition("\n#")[0]
    documented = rows(section, "| parameter | default | allowed | meaning |")
    parameters = declared(LOADED[kind])
    expected = []
    for group in LOADED[kind]["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        expected.append([f"**{group['Label']['default']}**", "", "", ""])
        expected += [described(parameters.pop(name)) for name in group["Parameters"]]
    assert documented == expected
    assert not parameters, "in no group that the console shows"


def described(parameter: Parameter) -> list[str]:
    """A parameter's row."""
    if parameter.name in inputs.NETWORK:
        default = "of the network stack, or your own"
    elif parameter.name == "SubnetId":
        default = "the first of `InstanceSubnetIds`, or your own"
    elif parameter.name in inputs.STAND_INS:
        default = "set by the command"
    else:
        assert parameter.default is not None, f"{parameter.name} must be given, and the page does not say so"
        default = f"`{parameter.default}`" if parameter.default else "empty"
    allowed = ", ".join(f"`{each}`" for each in parameter.allowed_values)
    allowed = allowed or parameter.constraint or f"type `{parameter.type}`"
    return [f"`{parameter.name}`", default, " ".join(allowed.split()), " ".join(parameter.description.split())]


def test_the_runbook_has_every_alarm_and_no_other() -> None:
    stopping = str(Values(LOADED["balancer"]).of(LOADED["balancer"]["Outputs"]["RolloutAlarmNames"]["Value"]))
    expected = []
    for kind in KINDS:
        alarms = Values(LOADED[kind], {"DeploymentName": "intent"}).resources("AWS::CloudWatch::Alarm")
        for logical_id, alarm in alarms.items():
            name = alarm["AlarmName"].removeprefix("intent-")
            # The notification itself says where to read on.
            said, runbook, _ = alarm["AlarmDescription"].partition(f" (runbook, {name})")
            assert runbook, name
            stops = "yes" if f"${{{logical_id}}}" in stopping.split(",") else "no"
            expected.append([f"[`{name}`](#{name})", " ".join(said.split()), stops])
    assert rows(RUNBOOK, "| alarm | what it says | stops a rollout |") == expected
    part = RUNBOOK.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    sections = re.findall(r"^### (.*)$", part, re.MULTILINE)
    assert sorted(sections) == sorted(name.partition("#")[2].rstrip(")") for name, _, _ in expected)


def test_the_arithmetic_of_rollouts() -> None:
    documented = rows(DEPLOYMENT, "| DesiredCapacity | smallest MaxSize | serve, at least | exist, at most |")
    assert documented
    for capacity, size, fewest, most in documented:
        rollouts = policies(LOADED["service"], {"DesiredCapacity": capacity}).values()
        # One row is for both rollouts.
        (plan,) = {rollout.plan(int(capacity)) for rollout in rollouts}
        assert [int(size), int(fewest), int(most)] == [int(capacity) + 1, plan.fewest, plan.most]


def test_the_limits_of_memory() -> None:
    limits = {
        path.name: limit[1]
        for path in (IMAGE / "units").iterdir()
        if (limit := re.search(r"^Memory(?:Max|High)=(\d+)M$", path.read_text(), re.MULTILINE))
    }
    limits["CloudWatch"] = limits.pop("agent-limits.conf")
    documented = {
        name: limit
        for what, limit in rows(DEPLOYMENT, "| what | limit, MiB |")
        for name in re.findall(r"`([\w.-]+)`|(CloudWatch)", what)
    }
    assert {first or second: limit for (first, second), limit in documented.items()} == limits


def test_the_bill_adds_up_and_counts_what_the_templates_make() -> None:
    head = "| what | amount | price of one, USD | USD a month | price read in |"
    *lines, (_, _, _, total, _) = rows(DEPLOYMENT, head)
    for _, amount, price, usd, read in lines:
        assert abs(Decimal(amount.replace(",", "")) * Decimal(price) - Decimal(usd)) <= Decimal("0.005")
        assert read
    assert f"**{sum(Decimal(usd) for _, _, _, usd, _ in lines)}**" == total

    (group,) = resources("AWS::AutoScaling::AutoScalingGroup")
    (template,) = resources("AWS::EC2::LaunchTemplate")
    (recipe,) = resources("AWS::ImageBuilder::ImageRecipe")
    disk = recipe["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"]
    instances, zones = int(group["DesiredCapacity"]), len(resources("AWS::EC2::Subnet"))
    type_ = template["LaunchTemplateData"]["InstanceType"]
    alarms = resources("AWS::CloudWatch::Alarm")
    # An alarm on an expression is charged for each metric in it.
    watched = sum(sum("MetricStat" in each for each in alarm.get("Metrics", [])) or 1 for alarm in alarms)
    # Target tracking makes two alarms, one for each direction.
    scaling = 2 * len(resources("AWS::AutoScaling::ScalingPolicy"))
    assert [(what, int(amount.replace(",", ""))) for what, amount, *_ in lines] == [
        (f"{instances} instances, {type_}: hours", instances * HOURS),
        (f"their disks, {disk} GB each: GB", instances * disk),
        (
            f"public IPv4 addresses, {instances} of instances, {zones} of the load balancer: hours",
            (instances + zones) * HOURS,
        ),
        ("load balancer: hours", HOURS),
        ("its capacity unit, at most 25 new connections a second and 1 GB an hour: hours", HOURS),
        (f"metrics of {len(alarms)} alarms, and of {scaling} that the scaling policy makes", watched + scaling),
        ("metrics by the CloudWatch agent", agent_series()),
        ("logs: GB", 1),
        ("dashboard", len(resources("AWS::CloudWatch::Dashboard"))),
        (f"images of 3 releases, at most {disk} GB each: GB", 3 * disk),
    ]


def agent_series() -> int:
    """The series that the CloudWatch agent makes for the whole deployment."""
    agent = json.loads((IMAGE / "cloudwatch-agent.json").read_text())
    count = sum(len(each["measurement"]) for each in agent["metrics"]["metrics_collected"].values())
    for each in agent["logs"]["metrics_collected"]["prometheus"]["emf_processor"]["metric_declaration"]:
        (selector,), (labels,) = each["metric_selectors"], each["dimensions"]
        alternatives = re.search(r"\((.*)\)", selector)
        series = len(alternatives[1].split("|")) if alternatives else 1
        for label in labels:
            series *= LABEL_VALUES[label]
        count += series
    return count


def test_the_diagram_shows_the_defaults() -> None:
    diagram = DEPLOYMENT.partition("```mermaid\n")[2].partition("```")[0]
    (group,) = resources("AWS::AutoScaling::AutoScalingGroup")
    (template,) = resources("AWS::EC2::LaunchTemplate")
    (target,) = resources("AWS::ElasticLoadBalancingV2::TargetGroup")
    (vpc,) = resources("AWS::EC2::VPC")
    (listener,) = resources("AWS::ElasticLoadBalancingV2::Listener")
    stopping = Values(LOADED["balancer"]).of(LOADED["balancer"]["Outputs"]["RolloutAlarmNames"]["Value"])
    sizes = f"{group['MinSize']} to {group['MaxSize']} instances, {group['DesiredCapacity']} to begin with"
    for shown in (
        sizes,
        f"each instance, {template['LaunchTemplateData']['InstanceType']}",
        f"{target['HealthCheckPath']} every {target['HealthCheckIntervalSeconds']} s",
        f"HTTP {target['Port']}",
        f"VPC {vpc['CidrBlock']}, two zones",
        f"port {listener['Port']}",
        f"{len(stopping.split(','))} alarms stop a rollout",
        *(f"intent-{kind}" for kind in KINDS),
    ):
        assert shown.removeprefix("asks ") in diagram, shown
    assert len(resources("AWS::EC2::Subnet")) == 2


@pytest.mark.parametrize("document", ["deployment.md", "runbook.md"])
def test_links_lead_somewhere(document: str) -> None:
    headings = {
        name: {_anchor(each) for each in re.findall(r"^#+ (.*)$", (DOCS / name).read_text(), re.MULTILINE)}
        for name in ("deployment.md", "runbook.md", "gateway.md")
    }
    for target in re.findall(r"\]\(([^)]+)\)", (DOCS / document).read_text()):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        assert (DOCS / (file or document)).exists(), target
        assert not anchor or anchor in headings[file or document], target


def test_the_commands_help_is_shown_as_it_is() -> None:
    command = [sys.executable, "-m", "cloudformation", "--help"]
    environment = os.environ | {"COLUMNS": "80"}
    shown = subprocess.run(command, cwd=DOCS.parent, env=environment, capture_output=True, text=True, check=True).stdout
    assert f"$ .venv/bin/python -m cloudformation --help\n{shown}```" in DEPLOYMENT


def test_every_command_line_is_understood() -> None:
    documents = re.sub(r"\\\n\s*", "", DEPLOYMENT + RUNBOOK)
    commands = "deploy|update|rollback|status|destroy|check|render"
    lines = re.findall(rf"python -m cloudformation ((?:{commands})[^`\n]*)", documents)
    # And those that are named without the program.
    lines += re.findall(rf"`((?:{commands}) -[^`]+)`", documents)
    assert len(lines) > 15
    for line in lines:
        options = _parser().parse_args(shlex.split(line.replace("\n", " ")))
        for given in getattr(options, "parameter", ()):
            assert any(given.partition("=")[0] in declared(template) for template in LOADED.values()), line


def test_every_parameter_that_is_named_exists() -> None:
    known = {name for template in LOADED.values() for name in declared(template)}
    for name in re.findall(r"(?:`|-p )([A-Z][a-z]\w+)=", DEPLOYMENT + RUNBOOK):
        assert name in known
    block = DEPLOYMENT.partition("```toml\n")[2].partition("```")[0]
    assert set(re.findall(r"^(\w+) =", block, re.MULTILINE)) <= known


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_no_path_of_a_machine_is_in_them() -> None:
    assert "/home/" not in DEPLOYMENT + RUNBOOK
    assert str(ROOT) not in DEPLOYMENT + RUNBOOK
