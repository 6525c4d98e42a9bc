"""Rules: each function as CloudFormation defines it, with what only AWS knows left open."""

from typing import Any

import pytest

from cloudformation.template.rules import Values, broken

VALUES = Values(
    {"Size": "2", "Zone": "a", "Subnets": "subnet-1,subnet-2", "Vpc": "vpc-1", "Other": "vpc-2"},
    {
        "Size": "Number",
        "Zone": "String",
        "Subnets": "List<AWS::EC2::Subnet::Id>",
        "Vpc": "AWS::EC2::VPC::Id",
        "Other": "AWS::EC2::VPC::Id",
    },
)
TRUE: dict[str, Any] = {"Fn::Equals": [{"Ref": "Size"}, "2"]}
FALSE: dict[str, Any] = {"Fn::Equals": [{"Ref": "Size"}, 3]}
OPEN: dict[str, Any] = {"Fn::Equals": [{"Fn::ValueOf": ["Vpc", "DefaultNetworkAcl"]}, "acl-1"]}


def breaks(assertion: dict[str, Any], condition: dict[str, Any] | None = None) -> bool:
    rule: dict[str, Any] = {"Assertions": [{"Assert": assertion, "AssertDescription": "no"}]}
    if condition is not None:
        rule["RuleCondition"] = condition
    return broken({"Rule": rule}, VALUES) == ["no"]


@pytest.mark.parametrize(
    ("assertion", "holds"),
    [
        (TRUE, True),
        (FALSE, False),
        ({"Fn::Not": [FALSE]}, True),
        ({"Fn::Not": [TRUE]}, False),
        ({"Fn::And": [TRUE, TRUE]}, True),
        ({"Fn::And": [TRUE, FALSE]}, False),
        ({"Fn::Or": [FALSE, TRUE]}, True),
        ({"Fn::Or": [FALSE, FALSE]}, False),
        ({"Fn::Contains": [["1", "2"], {"Ref": "Size"}]}, True),
        ({"Fn::Contains": [["1", "3"], {"Ref": "Size"}]}, False),
        ({"Fn::EachMemberEquals": [["a", "a"], {"Ref": "Zone"}]}, True),
        ({"Fn::EachMemberEquals": [["a", "b"], {"Ref": "Zone"}]}, False),
        ({"Fn::EachMemberIn": [{"Ref": "Subnets"}, ["subnet-1", "subnet-2", "subnet-3"]]}, True),
        ({"Fn::EachMemberIn": [{"Ref": "Subnets"}, ["subnet-1"]]}, False),
        ({"Fn::EachMemberIn": [["vpc-1", "vpc-2"], {"Fn::RefAll": "AWS::EC2::VPC::Id"}]}, True),
        ({"Fn::EachMemberIn": [["vpc-3"], {"Fn::RefAll": "AWS::EC2::VPC::Id"}]}, False),
    ],
)
def test_each_function(assertion: dict[str, Any], holds: bool) -> None:
    assert breaks(assertion) is not holds


@pytest.mark.parametrize(
    ("assertion", "is_broken"),
    [
        (OPEN, False),
        ({"Fn::Not": [OPEN]}, False),
        ({"Fn::And": [OPEN, FALSE]}, True),
        ({"Fn::And": [OPEN, TRUE]}, False),
        ({"Fn::Or": [OPEN, FALSE]}, False),
        ({"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}, False),
    ],
)
def test_what_only_aws_knows_breaks_nothing_by_itself(assertion: dict[str, Any], is_broken: bool) -> None:
    assert breaks(assertion) is is_broken


def test_rule_whose_condition_does_not_hold_is_not_asked() -> None:
    assert breaks(FALSE, condition=TRUE)
    assert not breaks(FALSE, condition=FALSE)


def test_every_broken_assertion_is_named() -> None:
    held = {"Assert": TRUE, "AssertDescription": "held"}
    rules = {
        "One": {"Assertions": [{"Assert": FALSE, "AssertDescription": "first"}, held]},
        "Two": {"Assertions": [{"Assert": FALSE, "AssertDescription": "second"}]},
    }
    assert broken(rules, VALUES) == ["first", "second"]
