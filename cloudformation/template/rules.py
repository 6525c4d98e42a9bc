"""A template's Rules: what combinations of parameters its assertions refuse, before anything is asked of AWS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Verdict = bool | None
"""True, False, or None where only AWS can tell (Fn::ValueOf asks it for attributes of a resource)."""


@dataclass(frozen=True)
class Values:
    """The parameters' values, and their types for Fn::RefAll."""

    values: Mapping[str, str]
    types: Mapping[str, str]


def broken(rules: Mapping[str, Any], values: Values) -> list[str]:
    """The descriptions of the assertions that do not hold, in the template's order."""
    found = []
    for rule in rules.values():
        if _verdict(rule.get("RuleCondition", True), values) is False:
            continue
        for assertion in rule["Assertions"]:
            if _verdict(assertion["Assert"], values) is False:
                found.append(assertion["AssertDescription"])
    return found


def _verdict(expression: Any, values: Values) -> Verdict:
    if isinstance(expression, bool):
        return expression
    ((function, arguments),) = expression.items()
    return _FUNCTIONS[function](arguments, values)


def _and(arguments: Any, values: Values) -> Verdict:
    verdicts = [_verdict(each, values) for each in arguments]
    return False if False in verdicts else None if None in verdicts else True


def _or(arguments: Any, values: Values) -> Verdict:
    verdicts = [_verdict(each, values) for each in arguments]
    return True if True in verdicts else None if None in verdicts else False


def _not(arguments: Any, values: Values) -> Verdict:
    verdict = _verdict(arguments[0], values)
    return None if verdict is None else not verdict


def _equals(arguments: Any, values: Values) -> Verdict:
    return _compare(arguments, values, lambda one, other: one == other)


def _contains(arguments: Any, values: Values) -> Verdict:
    return _compare(arguments, values, lambda many, one: one[0] in many)


def _each_member_equals(arguments: Any, values: Values) -> Verdict:
    return _compare(arguments, values, lambda many, one: all(each == one[0] for each in many))


def _each_member_in(arguments: Any, values: Values) -> Verdict:
    return _compare(arguments, values, lambda some, many: set(some) <= set(many))


def _compare(arguments: Any, values: Values, test: Callable[[list[str], list[str]], bool]) -> Verdict:
    one, other = (_strings(each, values) for each in arguments)
    return None if one is None or other is None else test(one, other)


def _strings(expression: Any, values: Values) -> list[str] | None:
    """One value is a list of one; None is what only AWS knows."""
    if isinstance(expression, list):
        parts = [_strings(each, values) for each in expression]
        return None if None in parts else [each for part in parts if part for each in part]
    if not isinstance(expression, dict):
        return [str(expression)]
    ((function, argument),) = expression.items()
    if function == "Ref":
        # A pseudo parameter, such as the region, is known to CloudFormation only.
        return values.values[argument].split(",") if argument in values.values else None
    if function == "Fn::RefAll":
        return [values.values[name] for name, kind in values.types.items() if kind == argument]
    if function in ("Fn::ValueOf", "Fn::ValueOfAll"):
        return None
    raise KeyError(function)


_FUNCTIONS: dict[str, Callable[[Any, Values], Verdict]] = {
    "Fn::And": _and,
    "Fn::Or": _or,
    "Fn::Not": _not,
    "Fn::Equals": _equals,
    "Fn::Contains": _contains,
    "Fn::EachMemberEquals": _each_member_equals,
    "Fn::EachMemberIn": _each_member_in,
}
"""All functions that CloudFormation allows in Rules, but Fn::If, which no template here uses."""
