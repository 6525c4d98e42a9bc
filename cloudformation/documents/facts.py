"""What the picture shows, read from the templates with their defaults."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudformation.template.files import Template
from cloudformation.template.values import Values

DEPLOYMENT = "intent"
"""The name in the picture; stacks are called DEPLOYMENT-TEMPLATE."""

UNITS = Path(__file__).parent.parent / "image" / "units"

SHOWN = (
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::AutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::NatGateway",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::ImageBuilder::Component",
    "AWS::ImageBuilder::Image",
    "AWS::ImageBuilder::ImageRecipe",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SSM::Parameter",
)
"""The types of resources that can be seen in the picture; those of options only where the option is on."""

LEFT_OUT = {
    "AWS::EC2::FlowLog": "an option",
    "AWS::EC2::Route": "part of a subnet",
    "AWS::EC2::RouteTable": "part of a subnet",
    "AWS::EC2::SubnetRouteTableAssociation": "part of a subnet",
    "AWS::EC2::VPCGatewayAttachment": "part of the internet gateway",
    "AWS::IAM::InstanceProfile": "part of a role",
    "AWS::IAM::Role": "who may what is not where things are",
    "AWS::ImageBuilder::DistributionConfiguration": "part of the image",
    "AWS::ImageBuilder::InfrastructureConfiguration": "part of the image",
    "AWS::S3::BucketPolicy": "part of the bucket",
    "AWS::WAFv2::WebACLAssociation": "an option",
}
"""The other types, and why they are not in the picture."""


@dataclass(frozen=True)
class Found:
    """A resource: its stack, its logical id, its evaluated properties."""

    stack: str
    name: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """All templates, each with the same parameters."""

    stacks: Mapping[str, Values]
    units: Mapping[str, Mapping[str, str]]
    """The instances' systemd units by name, each with its settings; of one that is there twice the last."""
    agent_memory: int
    """MiB above which the CloudWatch agent is slowed down and swapped out."""

    def all(self, type_: str) -> list[Found]:
        """The resources of this type that are made, in the order of templates and of each template."""
        return [
            Found(f"{DEPLOYMENT}-{stack}", name, properties)
            for stack, values in self.stacks.items()
            for name, properties in values.resources(type_).items()
        ]

    def one(self, type_: str) -> Found:
        """The only resource of this type."""
        (found,) = self.all(type_)
        return found

    def parameter(self, name: str) -> str:
        """Of the first template that has it."""
        return next(
            values.parameter(name) for values in self.stacks.values() if name in values.template.get("Parameters", {})
        )

    def output(self, name: str) -> str:
        """Of the first template that has it, evaluated."""
        outputs = (values.of(values.template["Outputs"].get(name, {})) for values in self.stacks.values())
        return str(next(each["Value"] for each in outputs if each))

    def zones(self) -> list[list[Found]]:
        """The subnets, by zone."""
        subnets = self.all("AWS::EC2::Subnet")
        names = sorted({str(each.properties["AvailabilityZone"]) for each in subnets})
        return [[each for each in subnets if each.properties["AvailabilityZone"] == zone] for zone in names]

    def entries(self) -> Iterator[tuple[str, int, str]]:
        """Who may call whom: the security group, the port, and the source (a range or a group)."""
        for group in self.all("AWS::EC2::SecurityGroup"):
            for rule in group.properties.get("SecurityGroupIngress", ()):
                yield group.name, int(rule["ToPort"]), rule["CidrIp"]
        for rule in self.all("AWS::EC2::SecurityGroupIngress"):
            source = rule.properties.get("CidrIp") or rule.properties["SourceSecurityGroupId"]
            yield name_in(rule.properties["GroupId"]), int(rule.properties["ToPort"]), name_in(source)


def read(templates: Mapping[str, Template]) -> Facts:
    """The facts of these templates, in this order.

    Raises:
        KeyError: a resource is of a type of which nobody has decided whether it belongs into the picture.
    """
    types = {body["Type"] for template in templates.values() for body in template["Resources"].values()}
    if unknown := types - set(SHOWN) - LEFT_OUT.keys():
        raise KeyError(f"shown in the picture or left out of it? {', '.join(sorted(unknown))}")
    values = {"DeploymentName": DEPLOYMENT}
    return Facts({name: Values(template, values) for name, template in templates.items()}, _units(), _agent_memory())


def _agent_memory() -> int:
    (limit,) = re.findall(r"^MemoryHigh=(\d+)M$", (UNITS / "agent-limits.conf").read_text(), re.MULTILINE)
    return int(limit)


def _units() -> dict[str, dict[str, str]]:
    return {
        path.name: dict(re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE))
        for path in sorted(UNITS.glob("*.service"))
    }


def name_in(reference: str) -> str:
    """The logical id in `${Id}` or `${Id.Attribute}`; any other text as it is."""
    return reference.removeprefix("${").removesuffix("}").partition(".")[0]
