"""Parameters: what CloudFormation would refuse is refused at once, with everything that is wrong in one message."""

from typing import Any

import pytest

from cloudformation.errors import UsageError
from cloudformation.template.parameters import declared, resolve

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Name": {
            "Type": "String",
            "Default": "intent",
            "AllowedPattern": "[a-z]+",
            "MinLength": 2,
            "MaxLength": 8,
            "ConstraintDescription": "2 to 8 small letters",
        },
        "Size": {"Type": "Number", "Default": 2, "MinValue": 1, "MaxValue": 3},
        "Kind": {"Type": "String", "Default": "a", "AllowedValues": ["a", "b"]},
        "Vpc": {"Type": "AWS::EC2::VPC::Id", "Description": "The VPC."},
        "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>", "Default": "subnet-00000001,subnet-00000002"},
        "Words": {"Type": "CommaDelimitedList", "Default": "x", "AllowedPattern": "[a-z]"},
        "Secret": {"Type": "String", "Default": "", "NoEcho": True, "AllowedPattern": "[0-9]*"},
    },
    "Rules": {
        "SmallB": {
            "RuleCondition": {"Fn::Equals": [{"Ref": "Kind"}, "b"]},
            "Assertions": [
                {"Assert": {"Fn::Equals": [{"Ref": "Size"}, "1"]}, "AssertDescription": "a b has the size 1"}
            ],
        }
    },
}
VPC = {"Vpc": "vpc-0123456789abcdef0"}


def refusal(given: dict[str, str]) -> str:
    with pytest.raises(UsageError) as refused:
        resolve(TEMPLATE, given)
    return str(refused.value)


def test_defaults_are_filled_in() -> None:
    assert resolve(TEMPLATE, {**VPC, "Size": "3"}) == {
        "Name": "intent",
        "Size": "3",
        "Kind": "a",
        "Vpc": "vpc-0123456789abcdef0",
        "Subnets": "subnet-00000001,subnet-00000002",
        "Words": "x",
        "Secret": "",
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Name": "Intent"}, "Name: 'Intent' does not match [a-z]+ (2 to 8 small letters)"),
        ({"Name": "intent\n"}, "Name: "),
        ({"Name": "i"}, "has less than 2 characters"),
        ({"Name": "intentions"}, "has more than 8 characters"),
        ({"Size": "two"}, "Size: 'two' is not a number"),
        ({"Size": "0"}, "Size: '0' is below 1"),
        ({"Size": "4"}, "Size: '4' is above 3"),
        ({"Kind": "c"}, "Kind: 'c' is none of 'a', 'b'"),
        ({"Vpc": "subnet-00000001"}, "is not a VPC's id"),
        ({"Subnets": "subnet-00000001,vpc-00000001"}, "Subnets: 'vpc-00000001' is not a subnet's id"),
        ({"Words": "x,yy"}, "Words: 'yy' does not match [a-z]"),
        ({"Size": "2", "Kind": "b"}, "a b has the size 1"),
        ({"Sizes": "2"}, "Sizes: is no parameter of the template; did you mean Size?"),
        ({"Xylophone": "2"}, "Xylophone: is no parameter of the template"),
    ],
)
def test_wrong_value_is_refused(given: dict[str, str], said: str) -> None:
    assert said in refusal({**VPC, **given})


def test_everything_that_is_wrong_is_said_at_once() -> None:
    said = refusal({"Name": "9", "Size": "9"})
    assert "Name: '9'" in said
    assert "Size: '9'" in said
    assert "Vpc: has no default, so it must be given: The VPC." in said


def test_secret_is_not_shown() -> None:
    said = refusal({**VPC, "Secret": "geheim"})
    assert "Secret: its value does not match" in said
    assert "geheim" not in said


def test_declared_in_the_order_of_the_template() -> None:
    assert list(declared(TEMPLATE)) == list(TEMPLATE["Parameters"])
    assert declared(TEMPLATE)["Subnets"].is_list
    assert not declared(TEMPLATE)["Size"].is_list
