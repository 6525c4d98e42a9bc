"""Tables of the templates' parameters and alarms, in Markdown."""

from collections.abc import Iterable, Iterator, Mapping

from cloudformation.documents.facts import DEPLOYMENT, Facts
from cloudformation.template import inputs
from cloudformation.template.files import Template
from cloudformation.template.parameters import Parameter, declared
from cloudformation.template.rollout import policies


def parameters(templates: Mapping[str, Template]) -> str:
    """A section for each template that has parameters, with a table in the groups that the console shows.

    Raises:
        ValueError: a parameter is in no group.
    """
    sections = []
    for name, template in templates.items():
        found = declared(template)
        if not found:
            continue
        rows = ["| parameter | default | allowed | meaning |", "|---|---|---|---|"]
        for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
            rows.append(f"| **{group['Label']['default']}** | | | |")
            rows += [_parameter(found.pop(each)) for each in group["Parameters"]]
        if found:
            raise ValueError(f"{name}: in no group of AWS::CloudFormation::Interface: {', '.join(found)}")
        sections.append("\n".join([f"### {name}.yaml", "", *rows]))
    return "\n\n".join(sections)


def alarms(facts: Facts) -> str:
    """Every alarm: its name, what it says, where the runbook tells what to do."""
    stops = facts.output("RolloutAlarmNames").split(",")
    rows = ["| alarm | what it says | stops a rollout |", "|---|---|---|"]
    for alarm in facts.all("AWS::CloudWatch::Alarm"):
        name = alarm_name(str(alarm.properties["AlarmName"]))
        told = str(alarm.properties["AlarmDescription"]).partition(" (runbook")[0].rstrip(".")
        rows.append(f"| [`{name}`](#{name}) | {_cell(told)} | {'yes' if f'${{{alarm.name}}}' in stops else 'no'} |")
    return "\n".join(rows)


def rollouts(template: Template) -> str:
    """The arithmetic of both rollouts: what serves at the worst moment, what exists at the fullest one."""
    rows = [
        "| DesiredCapacity | smallest MaxSize | serve, at least | exist, at most |",
        "|---:|---:|---:|---:|",
    ]
    for capacity in (1, 2, 3, 9):
        plans = {rollout.plan(capacity) for rollout in policies(template, {"DesiredCapacity": str(capacity)}).values()}
        # One row for both: a test fails here if they begin to differ.
        (plan,) = plans
        rows.append(f"| {capacity} | {capacity + 1} | {plan.fewest} | {plan.most} |")
    return "\n".join(rows)


def memory(facts: Facts) -> str:
    """What each unit of an instance may use; of those that run now and then the largest."""
    limits = {
        name: int(unit["MemoryMax"].removesuffix("M")) for name, unit in facts.units.items() if "MemoryMax" in unit
    }
    lasting = ("intent-model-server.service", "intent-gateway.service")
    rows = ["| what | limit, MiB |", "|---|---:|"]
    rows += [f"| `{name}` | {limits.pop(name)} |" for name in lasting]
    rows.append(f"| the CloudWatch agent; slowed down and swapped out above | {facts.agent_memory} |")
    return "\n".join([*rows, f"| {_listed(limits)}: now and then, the largest | {max(limits.values())} |"])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def alarm_name(full: str) -> str:
    """Without the deployment's name, which it begins with."""
    return full.removeprefix(f"{DEPLOYMENT}-")


def _parameter(parameter: Parameter) -> str:
    cells = (f"`{parameter.name}`", _default(parameter), "; ".join(_allowed(parameter)), parameter.description)
    return f"| {' | '.join(map(_cell, cells))} |"


def _default(parameter: Parameter) -> str:
    if parameter.name in inputs.NETWORK:
        return "of the network stack, or your own"
    if parameter.name == "SubnetId":
        return "the first of `InstanceSubnetIds`, or your own"
    if parameter.name in inputs.STAND_INS:
        return "set by the command"
    if parameter.default is None:
        return "must be given"
    return f"`{parameter.default}`" if parameter.default else "empty"


def _allowed(parameter: Parameter) -> Iterator[str]:
    """What CloudFormation checks; a pattern only by its description, as people read this."""
    if parameter.allowed_values:
        yield ", ".join(f"`{each}`" for each in parameter.allowed_values)
    elif parameter.constraint:
        yield parameter.constraint
    else:
        yield f"type `{parameter.type}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
