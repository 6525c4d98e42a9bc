"""image.yaml: what Image Builder is told, and what stays for a rollback.

moto knows nothing of Image Builder: its resources are played (moto_additions), so that the rest of the stack deploys;
their properties are held against AWS's schema by cfn-lint (`make templates`), and against their purpose here.
"""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from moto.ssm.models import Parameter, ssm_backends

from cloudformation.errors import UsageError
from cloudformation.template.files import TEMPLATES, load
from cloudformation.template.parameters import resolve
from tests.cloudformation.played import moto_additions as moto_additions
from tests.cloudformation.played.cloud import REGION, Cloud, cloud

GIVEN = {
    "ReleaseName": "3-3f2a9c01b2d4",
    "ArtifactBucket": "artifacts",
    "ArtifactKey": "releases/release-3f2a9c01b2d4.tar.gz",
    "ArtifactSha256": "0" * 64,
    "VpcId": "vpc-0123456789abcdef0",
    "SubnetId": "subnet-0123456789abcdef0",
}
OF_A_RELEASE = ("InstallComponent", "TestComponent", "Recipe", "Infrastructure", "Distribution", "Image", "Parameter")


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return load(TEMPLATES["image"])["Resources"]


def document(resources: dict[str, Any], component: str) -> dict[str, Any]:
    """The component's document, with the parameters filled in."""
    data = resources[component]["Properties"]["Data"]
    text = data["Fn::Sub"] if isinstance(data, dict) else data
    assert len(text) < 16000
    values = {**GIVEN, "AWS::AccountId": "123456789012", "ModelServerVersion": "2.20.0", "ModelServerSha256": ""}
    parsed: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(.*?)\}", lambda found: values[found[1]], text))
    return parsed


def deploy(account: Cloud, **given: str) -> dict[str, str]:
    """Deploys the stack in a new VPC, on a parent image behind the default parameter."""
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    base = ec2.register_image(Name="base", RootDeviceName="/dev/sda1")["ImageId"]
    # Canonical's own parameter, which nobody else may put.
    name = load(TEMPLATES["image"])["Parameters"]["BaseImage"]["Default"]
    number = account.client("sts").get_caller_identity()["Account"]
    public = Parameter(
        number, name, base, "String", None, None, None, datetime.now(UTC), version=1, data_type="aws:ec2:image"
    )
    ssm_backends[number][REGION]._parameters[name].append(public)
    return account.deploy("image", {**GIVEN, "VpcId": vpc, **given})


def test_an_image_is_found_by_its_parameter() -> None:
    with cloud() as account:
        outputs = deploy(account)
        assert outputs["ReleaseName"] == "3-3f2a9c01b2d4"
        assert outputs["ImageParameter"] == "/intent/images/3-3f2a9c01b2d4"
        assert account.image(outputs["ImageParameter"]) == outputs["ImageId"]


def test_the_build_may_read_one_object_and_nobody_may_come_in() -> None:
    with cloud() as account:
        deploy(account, PermissionsBoundary="arn:aws:iam::123456789012:policy/bounds")
        iam = account.client("iam")
        (role,) = (each for each in iam.list_roles()["Roles"] if "BuildRole" in each["RoleName"])
        found = iam.get_role(RoleName=role["RoleName"])["Role"]
        assert found["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("policy/bounds")
        policy = iam.get_role_policy(RoleName=role["RoleName"], PolicyName="read-the-release")["PolicyDocument"]
        # Moto gives a policy of CloudFormation back as Python would print it.
        (statement,) = yaml.safe_load(policy)["Statement"]
        assert statement["Action"] == "s3:GetObject"
        assert statement["Resource"] == f"arn:aws:s3:::artifacts/{GIVEN['ArtifactKey']}"
        groups = account.client("ec2").describe_security_groups()["SecurityGroups"]
        (group,) = (each for each in groups if each["Description"].startswith("Build"))
        assert group["IpPermissions"] == []
        assert {rule.get("FromPort") for rule in group["IpPermissionsEgress"]} == {80, 443}


@pytest.mark.parametrize("name", OF_A_RELEASE)
def test_what_belongs_to_a_release_is_named_after_it_and_stays(resources: dict[str, Any], name: str) -> None:
    resource = resources[name]
    assert resource["UpdateReplacePolicy"] == "Retain"
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    if name != "Image":
        assert "${ReleaseName}" in resource["Properties"]["Name"]["Fn::Sub"]


def test_nothing_else_stays(resources: dict[str, Any]) -> None:
    kept = {name for name, each in resources.items() if "Retain" in str(each.get("DeletionPolicy"))}
    assert kept == set(OF_A_RELEASE)


def test_the_release_is_checked_before_anything_of_it_runs(resources: dict[str, Any]) -> None:
    (phase,) = document(resources, "InstallComponent")["phases"]
    fetch, install = phase["steps"]
    (source,) = fetch["inputs"]
    assert (phase["name"], fetch["action"]) == ("build", "S3Download")
    assert source["source"] == "s3://artifacts/releases/release-3f2a9c01b2d4.tar.gz"
    assert source["expectedBucketOwner"] == "123456789012"
    (script,) = install["inputs"]["commands"]
    lines = script.splitlines()
    assert lines[0] == "set -euo pipefail"
    checked = lines.index(f'echo "{"0" * 64}  release.tar.gz" | sha256sum --check')
    assert checked < lines.index("release/cloudformation/image/install.sh")


def test_the_test_runs_what_was_installed(resources: dict[str, Any]) -> None:
    (phase,) = document(resources, "TestComponent")["phases"]
    (step,) = phase["steps"]
    (command,) = step["inputs"]["commands"]
    assert phase["name"] == "test"
    assert command.endswith(" /opt/intent/release/cloudformation/image/test.sh")
    seconds = int(re.match(r"READY_SECONDS=(\d+) ", command)[1])
    assert (
        seconds
        < step["timeoutSeconds"]
        < 60 * resources["Image"]["Properties"]["ImageTestsConfiguration"]["TimeoutMinutes"]
    )


def test_instances_of_the_build_ask_for_tokens_and_the_disk_is_encrypted(resources: dict[str, Any]) -> None:
    options = resources["Infrastructure"]["Properties"]["InstanceMetadataOptions"]
    assert options == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    (disk,) = resources["Recipe"]["Properties"]["BlockDeviceMappings"]
    assert disk["Ebs"]["Encrypted"] is True
    assert disk["Ebs"]["VolumeType"] == "gp3"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ReleaseName", "3"),
        ("ReleaseName", "3-3f2a9c01b2d4; reboot"),
        ("ArtifactKey", 'releases/$(id)".tar.gz'),
        ("ArtifactSha256", "0" * 63),
        ("ModelServerVersion", "latest"),
        ("ModelServerSha256", "none"),
        ("BuildInstanceType", "t4g.micro"),
        ("DeploymentName", "Intent"),
        ("PermissionsBoundary", "boundary"),
    ],
)
def test_a_wrong_parameter_is_refused(name: str, value: str) -> None:
    template = load(TEMPLATES["image"])
    resolve(template, GIVEN)
    with pytest.raises(UsageError, match=f"{name}: "):
        resolve(template, {**GIVEN, name: value})
