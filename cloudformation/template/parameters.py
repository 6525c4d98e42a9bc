"""What a template asks for, and whether given values are what it allows: as CloudFormation checks them, but at once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from cloudformation.errors import UsageError
from cloudformation.template import rules
from cloudformation.template.files import Template

_FORMS = {
    "Number": (r"-?\d+(\.\d+)?", "a number"),
    "AWS::EC2::VPC::Id": (r"vpc-[0-9a-f]{8,17}", "a VPC's id, such as vpc-0123456789abcdef0"),
    "AWS::EC2::Subnet::Id": (r"subnet-[0-9a-f]{8,17}", "a subnet's id, such as subnet-0123456789abcdef0"),
    "AWS::EC2::SecurityGroup::Id": (r"sg-[0-9a-f]{8,17}", "a security group's id, such as sg-0123456789abcdef0"),
    "AWS::EC2::Image::Id": (r"ami-[0-9a-f]{8,17}", "an image's id, such as ami-0123456789abcdef0"),
}
"""The form of a value by the parameter's type; any other type is text."""


@dataclass(frozen=True)
class Parameter:
    """One parameter as the template declares it."""

    name: str
    type: str
    description: str
    default: str | None
    """None: it must be given."""
    allowed_values: tuple[str, ...]
    """Empty: any."""
    allowed_pattern: str | None
    """A regular expression for the whole value."""
    lowest: float | None
    highest: float | None
    """Limits of a number, or of a text's length."""
    constraint: str
    """What is allowed, for people."""
    is_secret: bool

    @property
    def is_list(self) -> bool:
        """Several values with commas between."""
        return self.type.startswith("List<") or self.type == "CommaDelimitedList"

    def problems(self, value: str) -> Iterator[str]:
        """What is wrong with this value; of a list, with each of its members."""
        for each in value.split(",") if self.is_list else [value]:
            if problem := self._problem(each):
                shown = "its value" if self.is_secret else repr(each)
                yield f"{self.name}: {shown} {problem}" + (f" ({self.constraint})" if self.constraint else "")

    def _problem(self, value: str) -> str | None:
        form, form_name = _FORMS.get(re.sub(r"List<(.*)>", r"\1", self.type), (".*", "text"))
        if not re.fullmatch(form, value, re.DOTALL):
            return f"is not {form_name}"
        if self.allowed_values and value not in self.allowed_values:
            return f"is none of {', '.join(map(repr, self.allowed_values))}"
        if self.allowed_pattern is not None and not re.fullmatch(self.allowed_pattern, value):
            return f"does not match {self.allowed_pattern}"
        is_number = self.type == "Number"
        size, unit = (float(value), "") if is_number else (len(value), " characters")
        if self.lowest is not None and size < self.lowest:
            return f"is below {self.lowest:g}" if is_number else f"has less than {self.lowest:g}{unit}"
        if self.highest is not None and size > self.highest:
            return f"is above {self.highest:g}" if is_number else f"has more than {self.highest:g}{unit}"
        return None


def declared(template: Template) -> dict[str, Parameter]:
    """The template's parameters, in its order."""
    return {name: _parameter(name, body) for name, body in template.get("Parameters", {}).items()}


def resolve(template: Template, given: Mapping[str, str]) -> dict[str, str]:
    """The value of every parameter: the given one, else its default.

    Raises:
        UsageError: the template, or one of its Rules, refuses the values; lists everything that is wrong.
    """
    parameters = declared(template)
    found = [_unknown(name, parameters) for name in given if name not in parameters]
    values = {}
    for parameter in parameters.values():
        value = given.get(parameter.name, parameter.default)
        if value is None:
            found.append(f"{parameter.name}: has no default, so it must be given: {parameter.description}")
        else:
            values[parameter.name] = value
            found.extend(parameter.problems(value))
    # A rule about a value that is missing or malformed would only repeat it.
    if not found:
        types = {name: parameter.type for name, parameter in parameters.items()}
        found = rules.broken(template.get("Rules", {}), rules.Values(values, types))
    if found:
        raise UsageError("the parameters are refused:" + "".join(f"\n  {each}" for each in found))
    return values


def _unknown(name: str, parameters: Mapping[str, Parameter]) -> str:
    near = get_close_matches(name, parameters, n=1)
    return f"{name}: is no parameter of the template" + (f"; did you mean {near[0]}?" if near else "")


def _parameter(name: str, body: Mapping[str, Any]) -> Parameter:
    def number(*keys: str) -> float | None:
        return next((float(body[key]) for key in keys if key in body), None)

    return Parameter(
        name,
        body["Type"],
        body.get("Description", ""),
        str(body["Default"]) if "Default" in body else None,
        tuple(map(str, body.get("AllowedValues", ()))),
        body.get("AllowedPattern"),
        number("MinValue", "MinLength"),
        number("MaxValue", "MaxLength"),
        body.get("ConstraintDescription", ""),
        str(body.get("NoEcho", "")).lower() == "true",
    )
