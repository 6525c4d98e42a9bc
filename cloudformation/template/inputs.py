"""What the stacks are given: by the operator, by the stacks before them, and by what they were given last."""

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cloudformation.errors import UsageError
from cloudformation.template import parameters
from cloudformation.template.files import KINDS, TEMPLATES, Template, load

NETWORK = ("VpcId", "LoadBalancerSubnetIds", "InstanceSubnetIds", "AssociatePublicIp")
"""The outputs of the network's stack, which go to the stacks after it; or, all four given, a VPC of one's own."""

STAND_INS = {
    "ArtifactBucket": "bucket",
    "ArtifactKey": "releases/release-000000000000.tar.gz",
    "ArtifactSha256": "0" * 64,
    "AssociatePublicIp": "true",
    "AutoScalingGroupName": "intent-service",
    "DeploymentName": "intent",
    "ImageParameter": "/intent/images/1-000000000000",
    "InstanceSecurityGroupId": "sg-00000000000000000",
    "InstanceSubnetIds": "subnet-00000000000000001,subnet-00000000000000002",
    "LoadBalancerFullName": "app/intent/0000000000000000",
    "LoadBalancerSubnetIds": "subnet-00000000000000001,subnet-00000000000000002",
    "ReleaseName": "1-000000000000",
    "RollbackAlarmArns": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:intent",
    "RolloutAlarmNames": "alarm",
    "RolloutAlarms": "yes",
    "SubnetId": "subnet-00000000000000001",
    "TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/intent/0000000000000000",
    "TargetGroupFullName": "targetgroup/intent/0000000000000000",
    "VpcId": "vpc-00000000000000000",
}
"""What the command sets by itself, each with a value of the right form for checks before AWS has told the real one."""


def read(file: Path | None, assignments: Iterable[str]) -> dict[str, str]:
    """The operator's parameters: those of the file (TOML, no tables), then each `Key=Value`, which go before the file.

    Raises:
        UsageError: unreadable, not of this form, or the name of no parameter that may be given.
    """
    given = _read_file(file) if file else {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not (name and equals):
            raise UsageError(f"{assignment!r} is no Key=Value")
        given[name] = value
    for name in given:
        _require_settable(name)
    own = [name for name in NETWORK if name in given]
    if own and len(own) < len(NETWORK):
        missing = ", ".join(name for name in NETWORK if name not in given)
        raise UsageError(f"for a VPC of your own give all of {', '.join(NETWORK)}; missing: {missing}")
    return given


def of_stack(
    template: Template, last: Mapping[str, str], fixed: Mapping[str, str], given: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The parameters of one stack, as CreateChangeSet takes them: what is fixed goes before what is given; what is
    neither keeps its last value, if the stack has one, else the template's default.

    Args:
        last: the values that the stack has now; empty if there is no stack.

    Raises:
        UsageError: the template refuses them.
    """
    wanted = _wanted(template, fixed, given)
    last = _known(template, last)
    parameters.resolve(template, {**last, **wanted})
    return [
        *({"ParameterKey": name, "ParameterValue": value} for name, value in wanted.items()),
        *({"ParameterKey": name, "UsePreviousValue": True} for name in last if name not in wanted),
    ]


def preview(
    name: str, given: Mapping[str, str], existing: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """The values of every template's parameters, by the template's name, with stand-ins for what only AWS will know.

    Args:
        name: the deployment's.
        existing: the values that the stacks have now, by the template's name.

    Raises:
        UsageError: a template refuses them. So a mistake is found before the first stack is touched.
    """
    stand_ins = {key: value for key, value in STAND_INS.items() if key not in given}
    stand_ins["DeploymentName"] = name
    values = {}
    for kind in KINDS:
        template = load(TEMPLATES[kind])
        last = _known(template, existing.get(kind, {}))
        values[kind] = parameters.resolve(template, {**last, **_wanted(template, stand_ins, given)})
    return values


def _wanted(template: Template, fixed: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    return _known(template, {**given, **fixed})


def _known(template: Template, values: Mapping[str, str]) -> dict[str, str]:
    """Those of the values that belong to a parameter of the template."""
    return {name: value for name, value in values.items() if name in template.get("Parameters", {})}


def _read_file(file: Path) -> dict[str, str]:
    try:
        content = tomllib.loads(file.read_text())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: is no TOML: {error}") from None
    return {name: _text(file, name, value) for name, value in content.items()}


def _text(file: Path, name: str, value: Any) -> str:
    """A parameter's value as CloudFormation wants it: text, a list with commas between."""
    if isinstance(value, list):
        return ",".join(_text(file, name, each) for each in value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise UsageError(f"{file}: {name} is neither text nor number nor a list of these")


def _require_settable(name: str) -> None:
    if name in STAND_INS and name not in (*NETWORK, "SubnetId"):
        raise UsageError(f"{name} is set by the command itself; leave it out")
    known = {name for kind in KINDS for name in parameters.declared(load(TEMPLATES[kind]))}
    if name not in known:
        near = get_close_matches(name, known - set(STAND_INS), n=1)
        raise UsageError(f"{name} is no parameter of any template" + (f"; did you mean {near[0]}?" if near else ""))
