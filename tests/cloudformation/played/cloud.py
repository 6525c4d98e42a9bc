"""An AWS account in this process (moto), and the templates deployed into it: outputs go along by name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

import boto3
from moto import mock_aws

from cloudformation.template.files import TEMPLATES, load
from cloudformation.template.parameters import declared, resolve
from tests.cloudformation.played import moto_models as moto_models

REGION = "us-east-1"
"""The only region whose zones moto's Fn::GetAZs knows."""


_accounts = count(200_000_000_000)


class Cloud:
    """One empty account."""

    def __init__(self) -> None:
        # Moto keeps accounts apart by the role that was taken on in them, also in mocks within mocks.
        role = f"arn:aws:iam::{next(_accounts)}:role/tests"
        nobody = boto3.client("sts", REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
        self._keys = nobody.assume_role(RoleArn=role, RoleSessionName="tests")["Credentials"]
        self.outputs: dict[str, str] = {}
        """Of every stack so far."""

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            REGION,
            aws_access_key_id=self._keys["AccessKeyId"],
            aws_secret_access_key=self._keys["SecretAccessKey"],
            aws_session_token=self._keys["SessionToken"],
        )

    def put_image(self, release: str) -> str:
        """A registered image and the SSM parameter that names it; returns the parameter's name."""
        name = f"/intent/images/{release}"
        image = self.client("ec2").register_image(Name=release, RootDeviceName="/dev/sda1")["ImageId"]
        self.client("ssm").put_parameter(Name=name, Value=image, Type="String")
        return name

    def image(self, parameter: str) -> str:
        """The image's id that the parameter holds."""
        found: str = self.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
        return found

    def deploy(self, kind: str, given: Mapping[str, str] | None = None) -> dict[str, str]:
        """Creates the stack intent-<kind>, or updates it; returns its outputs."""
        template = load(TEMPLATES[kind])
        known = declared(template)
        values = resolve(
            template, {name: value for name, value in self.outputs.items() if name in known} | (given or {})
        )
        cloudformation = self.client("cloudformation")
        name = f"intent-{kind}"
        exists = any(stack["StackName"] == name for stack in cloudformation.describe_stacks()["Stacks"])
        change = cloudformation.update_stack if exists else cloudformation.create_stack
        change(
            StackName=name,
            TemplateBody=TEMPLATES[kind].read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
        self.outputs |= outputs
        return outputs

    def deploy_all(self, given: Mapping[str, str] | None = None) -> None:
        """Network, balancer, service and what watches them, with one image."""
        image = {"ImageParameter": self.put_image("1-000000000001")}
        for kind in ("network", "balancer", "service", "observability"):
            known = declared(load(TEMPLATES[kind]))
            self.deploy(kind, {name: value for name, value in {**image, **(given or {})}.items() if name in known})


@contextmanager
def cloud() -> Iterator[Cloud]:
    """An account that is gone afterwards."""
    with mock_aws():
        yield Cloud()
