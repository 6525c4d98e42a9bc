"""What a template comes to when its parameters have certain values: conditions decided, functions carried out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudformation.template.files import Template

_SUBSTITUTED = re.compile(r"\$\{([^!}]+)\}")


@dataclass(frozen=True)
class Values:
    """Evaluates the expressions of one template.

    What only AWS knows (an ARN, an id, a pseudo parameter) stays as `${Name}`, as in Fn::Sub.
    """

    template: Template
    given: Mapping[str, str] = field(default_factory=dict)
    """Parameters that have another value than their default; one without a default and without a value is ''."""

    def resources(self, *types: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of these types that are made, by logical id, evaluated."""
        return {
            name: self.of(body.get("Properties", {}))
            for name, body in self.template["Resources"].items()
            if body["Type"] in types and self.holds(body.get("Condition"))
        }

    def holds(self, condition: str | None) -> bool:
        """Whether the named condition is true; no condition is."""
        return condition is None or bool(self.of(self.template["Conditions"][condition]))

    def parameter(self, name: str) -> str:
        """Its given value, else its default."""
        return str(self.given.get(name, self.template["Parameters"][name].get("Default", "")))

    def of(self, expression: Any) -> Any:
        """The value of any part of the template; AWS::NoValue is left out of lists and mappings."""
        if isinstance(expression, list):
            return [value for each in expression if (value := self.of(each)) is not None]
        if not isinstance(expression, dict):
            return expression
        if len(expression) == 1:
            ((name, argument),) = expression.items()
            if name in ("Ref", "Condition") or name.startswith("Fn::"):
                return self._function(name, argument)
        return {key: value for key, each in expression.items() if (value := self.of(each)) is not None}

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._reference(argument)
            case "Condition":
                return self.holds(argument)
            case "Fn::If":
                return self.of(argument[1] if self.holds(argument[0]) else argument[2])
            case "Fn::Equals":
                one, other = self.of(argument)
                return str(one) == str(other)
            case "Fn::And":
                return all(map(self.of, argument))
            case "Fn::Or":
                return any(map(self.of, argument))
            case "Fn::Not":
                return not self.of(argument[0])
            case "Fn::Join":
                delimiter, parts = self.of(argument)
                return delimiter.join(map(str, parts))
            case "Fn::Split":
                delimiter, text = self.of(argument)
                return text.split(delimiter)
            case "Fn::Select":
                index, parts = self.of(argument)
                return parts[int(index)] if isinstance(parts, list) else f"{parts}[{index}]"
            case "Fn::Sub":
                return self._substitute(argument)
            case "Fn::GetAtt":
                return f"${{{'.'.join(argument)}}}"
            case "Fn::FindInMap":
                mapping, *keys = self.of(argument)
                return self.template["Mappings"][mapping][str(keys[0])][str(keys[1])]
        # Fn::Base64 and the like say no more than their argument does.
        return self.of(argument)

    def _reference(self, name: str) -> str | list[str] | None:
        if name == "AWS::NoValue":
            return None
        if name not in (declared := self.template.get("Parameters", {})):
            return f"${{{name}}}"
        is_list = declared[name]["Type"].startswith(("List<", "CommaDelimitedList"))
        return self.parameter(name).split(",") if is_list else self.parameter(name)

    def _substitute(self, argument: Any) -> str:
        text, names = argument if isinstance(argument, list) else (argument, {})
        known = self.of(names)
        return _SUBSTITUTED.sub(lambda found: str(known.get(found[1]) or self._reference(found[1])), text)
