"""Templates as data: every short form, and what all templates have in common."""

from pathlib import Path

import pytest
import yaml

from cloudformation.template.files import TEMPLATES, load
from cloudformation.template.parameters import declared

SHORT = """
Ref: !Ref Name
GetAtt: !GetAtt Group.Arn
DeepGetAtt: !GetAtt Group.Outputs.Arn
Sub: !Sub "${Name}-x"
SubWithValues: !Sub ["${A}", { A: !Select [0, !Split [".", !Ref Name]] }]
If: !If [Tls, { Key: !Ref Name }, !Ref AWS::NoValue]
Condition: !And [{ Condition: Tls }, !Condition Keys]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "template.yaml"
    path.write_text(text)
    return path


def test_short_forms_are_read_as_the_long_ones(tmp_path: Path) -> None:
    assert load(written(tmp_path, SHORT)) == {
        "Ref": {"Ref": "Name"},
        "GetAtt": {"Fn::GetAtt": ["Group", "Arn"]},
        "DeepGetAtt": {"Fn::GetAtt": ["Group", "Outputs.Arn"]},
        "Sub": {"Fn::Sub": "${Name}-x"},
        "SubWithValues": {"Fn::Sub": ["${A}", {"A": {"Fn::Select": [0, {"Fn::Split": [".", {"Ref": "Name"}]}]}}]},
        "If": {"Fn::If": ["Tls", {"Key": {"Ref": "Name"}}, {"Ref": "AWS::NoValue"}]},
        "Condition": {"Fn::And": [{"Condition": "Tls"}, {"Condition": "Keys"}]},
    }


def test_key_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(yaml.YAMLError, match="Size"):
        load(written(tmp_path, "Resources:\n  Size: 1\n  Size: 2\n"))


@pytest.mark.parametrize("kind", TEMPLATES)
def test_template_is_not_longer_than_500_lines(kind: str) -> None:
    assert len(TEMPLATES[kind].read_text().splitlines()) <= 500


@pytest.mark.parametrize("kind", TEMPLATES)
def test_every_parameter_is_described_constrained_and_grouped(kind: str) -> None:
    template = load(TEMPLATES[kind])
    parameters = declared(template)
    for parameter in parameters.values():
        assert parameter.description, parameter.name
        # A type such as AWS::EC2::VPC::Id is checked against the account by CloudFormation.
        if parameter.type in ("String", "Number", "CommaDelimitedList"):
            bounds = (parameter.allowed_values, parameter.allowed_pattern, parameter.highest)
            assert any(bound not in ((), None) for bound in bounds), parameter.name
            assert parameter.constraint, parameter.name
    groups = template.get("Metadata", {}).get("AWS::CloudFormation::Interface", {}).get("ParameterGroups", [])
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(parameters)


@pytest.mark.parametrize("kind", TEMPLATES)
def test_what_keeps_data_says_what_happens_to_it(kind: str) -> None:
    for name, resource in load(TEMPLATES[kind])["Resources"].items():
        if resource["Type"] in ("AWS::Logs::LogGroup", "AWS::S3::Bucket"):
            assert {"DeletionPolicy", "UpdateReplacePolicy"} <= resource.keys(), name
