"""Templates with their expressions worked out."""

from typing import Any

import pytest

from cloudformation.template.values import Values

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Size": {"Type": "Number", "Default": 2},
        "Kind": {"Type": "String", "Default": "plain"},
        "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>", "Default": "subnet-1,subnet-2"},
        "Given": {"Type": "String"},
    },
    "Mappings": {"Times": {"2": {"Seconds": 120}}},
    "Conditions": {
        "Plain": {"Fn::Equals": [{"Ref": "Kind"}, "plain"]},
        "Other": {"Fn::Not": [{"Condition": "Plain"}]},
        "Both": {"Fn::And": [{"Condition": "Plain"}, {"Fn::Equals": [{"Ref": "Size"}, "2"]}]},
        "Either": {"Fn::Or": [{"Condition": "Other"}, {"Fn::Equals": [{"Ref": "Size"}, "3"]}]},
    },
    "Resources": {
        "Always": {"Type": "A", "Properties": {"Size": {"Ref": "Size"}}},
        "Sometimes": {"Type": "A", "Condition": "Other", "Properties": {}},
        "Else": {"Type": "B"},
    },
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("text", "text"),
        (["a", {"Ref": "AWS::NoValue"}, "b"], ["a", "b"]),
        ({"Key": {"Ref": "AWS::NoValue"}, "Other": 1}, {"Other": 1}),
        ({"Ref": "Size"}, "2"),
        ({"Ref": "Given"}, ""),
        ({"Ref": "Subnets"}, ["subnet-1", "subnet-2"]),
        ({"Ref": "Always"}, "${Always}"),
        ({"Ref": "AWS::Region"}, "${AWS::Region}"),
        ({"Fn::If": ["Plain", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Both", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Either", "yes", "no"]}, "no"),
        ({"Fn::Join": [",", ["a", {"Ref": "Size"}]]}, "a,2"),
        ({"Fn::Join": [",", {"Ref": "Subnets"}]}, "subnet-1,subnet-2"),
        ({"Fn::Select": [1, {"Fn::Split": [".", "10.0.1.2"]}]}, "0"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "[0]"),
        ({"Fn::Sub": "${Kind}-${AWS::StackName}-${!Kept}"}, "plain-${AWS::StackName}-${!Kept}"),
        ({"Fn::Sub": ["${Own}/${Size}", {"Own": {"Ref": "Kind"}}]}, "plain/2"),
        ({"Fn::GetAtt": ["Always", "Arn"]}, "${Always.Arn}"),
        ({"Fn::FindInMap": ["Times", {"Ref": "Size"}, "Seconds"]}, 120),
        ({"Fn::Base64": {"Fn::Sub": "size ${Size}"}}, "size 2"),
    ],
)
def test_expressions(expression: Any, value: Any) -> None:
    assert Values(TEMPLATE).of(expression) == value


def test_given_values_go_before_defaults() -> None:
    values = Values(TEMPLATE, {"Kind": "other", "Size": "3"})
    assert values.of({"Fn::If": ["Plain", "yes", "no"]}) == "no"
    assert values.parameter("Size") == "3"
    assert values.holds("Either")


def test_only_resources_that_are_made_are_listed() -> None:
    assert Values(TEMPLATE).resources("A") == {"Always": {"Size": "2"}}
    assert Values(TEMPLATE, {"Kind": "other"}).resources("A", "B").keys() == {"Always", "Sometimes", "Else"}
