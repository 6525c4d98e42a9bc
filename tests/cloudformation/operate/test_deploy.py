"""`deploy`: from an empty account to a service, in steps that are shown and agreed to."""

import re
from pathlib import Path

import pytest

from cloudformation.template.files import KINDS, TEMPLATES
from tests.cloudformation.played.operating import Command, put_version
from tests.cloudformation.played.played_aws import REGION, PlayedAws, Step

STACKS = [f"intent-{kind}" for kind in KINDS]


@pytest.fixture
def own_vpc(aws: PlayedAws) -> dict[str, str]:
    """A VPC with two subnets that somebody else made, as parameters."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{place}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for place, zone in enumerate("ab")
    ]
    return {
        "VpcId": vpc,
        "LoadBalancerSubnetIds": ",".join(subnets),
        "InstanceSubnetIds": ",".join(subnets),
        "AssociatePublicIp": "true",
    }


def options(parameters: dict[str, str]) -> list[str]:
    return [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]


def test_from_an_empty_account_to_a_service(aws: PlayedAws, models: Path, run: Command) -> None:
    done = run("deploy", "--yes", "--models", models, "--model-version", 1)
    assert done.status == 0, done
    # Each stack is shown before it is made, in the order in which they need each other.
    assert re.findall(r"^(intent-\w+): new stack$", done.out, re.MULTILINE) == STACKS
    assert re.search(r"Add +LoadBalancer +AWS::ElasticLoadBalancingV2::LoadBalancer", done.out)
    assert [each["StackStatus"] for each in map(aws.stack, STACKS)] == ["CREATE_COMPLETE"] * len(STACKS)
    # What one stack puts out is what the next is given.
    network, balancer, service = (aws.outputs(f"intent-{kind}") for kind in ("network", "balancer", "service"))
    given = aws.parameters("intent-service")
    assert given["InstanceSubnetIds"] == network["InstanceSubnetIds"]
    assert given["TargetGroupArn"] == balancer["TargetGroupArn"]
    assert given["ImageParameter"] == aws.outputs("intent-image")["ImageParameter"]
    assert aws.parameters("intent-image")["SubnetId"] == network["InstanceSubnetIds"].split(",")[0]
    assert aws.parameters("intent-observability")["AutoScalingGroupName"] == service["AutoScalingGroupName"]
    assert f"at {balancer['Url']}" in done.out
    # The release lies in the bucket under the checksum that the image's build insists on.
    image = aws.parameters("intent-image")
    stored = aws.client("s3").head_object(Bucket=image["ArtifactBucket"], Key=image["ArtifactKey"])
    assert stored["Metadata"]["sha256"] == image["ArtifactSha256"]
    assert image["ReleaseName"].startswith("1-")
    group = aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]) == (1, 2, 3)


def test_again_it_finds_nothing_to_do(deployed: PlayedAws, models: Path, run: Command) -> None:
    done = run("deploy", "--models", models, "--model-version", 1)
    assert done.status == 0, done
    # All but the image, which is found ready.
    assert done.out.count("nothing to change") == len(STACKS) - 1
    assert "its image is there, ami-" in done.out
    assert not deployed.stack("intent-image").get("LastUpdatedTime")


def test_after_a_failure_it_goes_on_where_it_stopped(aws: PlayedAws, models: Path, run: Command) -> None:
    aws.plays["intent-balancer"] = [Step("intent-balancer", "ROLLBACK_COMPLETE")]
    assert run("deploy", "--yes", "--models", models).status == 1
    network = aws.stack("intent-network")["StackId"]
    done = run("deploy", "--yes", "--models", models)
    assert done.status == 0, done
    assert "intent-balancer is in ROLLBACK_COMPLETE: its first creation failed" in done.out
    assert aws.stack("intent-network")["StackId"] == network
    assert aws.stack("intent-service")["StackStatus"] == "CREATE_COMPLETE"


def test_a_first_creation_that_failed_is_deleted_only_if_agreed(aws: PlayedAws, models: Path, run: Command) -> None:
    aws.plays["intent-artifacts"] = [Step("intent-artifacts", "ROLLBACK_COMPLETE")]
    assert run("deploy", "--yes", "--models", models).status == 1
    for words in ([], ["--no-execute"]):
        assert run("deploy", "--models", models, *words, typed="n\n").status == 3
        assert aws.stack("intent-artifacts")["StackStatus"] == "ROLLBACK_COMPLETE"


def test_an_own_vpc_takes_the_place_of_the_network(
    aws: PlayedAws, own_vpc: dict[str, str], models: Path, run: Command
) -> None:
    second = own_vpc["InstanceSubnetIds"].split(",")[1]
    words = ["-p", f"SubnetId={second}"]
    done = run("deploy", "--yes", "--models", models, "--model-version", 1, *options(own_vpc), *words)
    assert done.status == 0, done
    assert aws.stack("intent-network") is None
    assert aws.parameters("intent-balancer")["VpcId"] == own_vpc["VpcId"]
    # Once is enough: an update finds it in the stacks.
    done = run("update", "--yes", "--models", models, "--model-version", 2)
    assert done.status == 0, done
    assert aws.stack("intent-network") is None
    assert aws.parameters("intent-service")["InstanceSubnetIds"] == own_vpc["InstanceSubnetIds"]
    assert aws.parameters("intent-image")["SubnetId"] == second


def test_an_own_vpc_is_brought_whole_and_from_the_beginning(deployed: PlayedAws, models: Path, run: Command) -> None:
    done = run("deploy", "--models", models, "-p", "VpcId=vpc-0123456789abcdef0")
    assert done.status == 2
    assert "missing: LoadBalancerSubnetIds, InstanceSubnetIds, AssociatePublicIp" in done.err
    own = {
        "VpcId": "vpc-0123456789abcdef0",
        "LoadBalancerSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        "InstanceSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        "AssociatePublicIp": "true",
    }
    done = run("update", "--yes", "--keep-release", *options(own))
    assert done.status == 2
    assert "intent-network is this deployment's network" in done.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["InstanceType=t9.huge"], "InstanceType"),
        (["MinSize=3", "DesiredCapacity=2"], "MinSize must not be above DesiredCapacity"),
        (["InstanceTipe=t3.micro"], "did you mean InstanceType?"),
        (["ImageParameter=/intent/images/1"], "set by the command itself"),
        (["MinSize"], "'MinSize' is no Key=Value"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_is_made(
    aws: PlayedAws, models: Path, run: Command, given: list[str], said: str
) -> None:
    done = run("deploy", "--yes", "--models", models, *(word for each in given for word in ("-p", each)))
    assert done.status == 2
    assert said in done.err
    assert not aws.asked("CreateChangeSet")


def test_a_name_that_the_templates_refuse(aws: PlayedAws, models: Path, run: Command) -> None:
    done = run("deploy", "--yes", "--models", models, "--name", "Intent_1")
    assert done.status == 2
    assert "DeploymentName" in done.err
    assert not aws.asked("CreateChangeSet")


def test_parameters_from_a_file_and_the_command_line(
    aws: PlayedAws, models: Path, tmp_path: Path, run: Command
) -> None:
    file = tmp_path / "production.toml"
    file.write_text('InstanceType = "t3.small"\nMinSize = 2\nMaxSize = 4\nLatencySeconds = 0.5\n')
    done = run("deploy", "--yes", "--models", models, "--parameters", file, "-p", "MaxSize=5", "--tag", "team=kitchen")
    assert done.status == 0, done
    service = aws.parameters("intent-service")
    assert (service["InstanceType"], service["MinSize"], service["MaxSize"]) == ("t3.small", "2", "5")
    assert aws.parameters("intent-balancer")["LatencySeconds"] == "0.5"
    # What two stacks ask for, both get.
    assert aws.parameters("intent-observability")["MaxSize"] == "5"
    assert {"Key": "team", "Value": "kitchen"} in aws.stack("intent-service")["Tags"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("MinSize = ", "is no TOML"),
        ("[service]\nMinSize = 1", "service is neither text nor number"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_parameter_file(
    aws: PlayedAws, models: Path, tmp_path: Path, run: Command, content: str | None, said: str
) -> None:
    file = tmp_path / "parameters.toml"
    if content is not None:
        file.write_text(content)
    done = run("deploy", "--yes", "--models", models, "--parameters", file)
    assert done.status == 2
    assert f"{file}: {said}" in done.err


def test_no_execute_shows_and_leaves_nothing(aws: PlayedAws, models: Path, run: Command) -> None:
    done = run("deploy", "--no-execute", "--models", models)
    assert done.status == 3
    assert re.search(r"Add +Bucket +AWS::S3::Bucket", done.out)
    assert re.search(r"Add +Vpc +AWS::EC2::VPC", done.out)
    assert "the stacks after these are shown when these exist" in done.err
    assert not aws.client("cloudformation").describe_stacks()["Stacks"]
    assert not aws.client("s3").list_buckets()["Buckets"]


@pytest.mark.parametrize("typed", ["n\n", "\n", "", "maybe\n"])
def test_anything_but_yes_is_no(aws: PlayedAws, models: Path, run: Command, typed: str) -> None:
    done = run("deploy", "--models", models, typed=typed)
    assert done.status == 3
    assert "Make these changes to intent-artifacts? [y/N]" in done.out
    assert "nothing was changed; --yes agrees beforehand" in done.err
    assert not aws.client("cloudformation").describe_stacks()["Stacks"]


def test_a_stack_that_only_held_a_change_set_is_taken_over(aws: PlayedAws, models: Path, run: Command) -> None:
    aws.client("cloudformation").create_change_set(
        StackName="intent-artifacts",
        ChangeSetName="left-behind",
        ChangeSetType="CREATE",
        TemplateBody=TEMPLATES["artifacts"].read_text(),
    )
    # Declined, somebody else's stack stays; agreed, it becomes this one.
    assert run("deploy", "--models", models, typed="n\n").status == 3
    assert aws.stack("intent-artifacts")["StackStatus"] == "REVIEW_IN_PROGRESS"
    run("deploy", "--models", models, typed="y\n")
    assert aws.stack("intent-artifacts")["StackStatus"] == "CREATE_COMPLETE"


def test_a_long_template_goes_through_the_bucket(
    aws: PlayedAws, models: Path, tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / "network.yaml"
    long.write_text(TEMPLATES["network"].read_text() + "# more\n" * 10_000)
    monkeypatch.setitem(TEMPLATES, "network", long)
    done = run("deploy", "--models", models, typed="y\ny\nn\n")
    assert done.status == 3, done
    (asked,) = [each for each in aws.asked("CreateChangeSet") if each["StackName"] == "intent-network"]
    assert "TemplateBody" not in asked
    bucket = aws.outputs("intent-artifacts")["BucketName"]
    assert asked["TemplateURL"].startswith(f"{aws.address}/{bucket}/templates/")
    assert aws.stack("intent-network")["StackStatus"] == "CREATE_COMPLETE"


def test_the_role_is_handed_to_cloudformation(aws: PlayedAws, models: Path, run: Command) -> None:
    role = "arn:aws:iam::123456789012:role/deployer"
    run("deploy", "--models", models, "--role-arn", role, typed="y\n")
    assert next(each["RoleARN"] for each in aws.asked("CreateChangeSet")) == role


def test_deletion_protection_is_one_switch(aws: PlayedAws, models: Path, run: Command) -> None:
    assert run("deploy", "--yes", "--models", models, "-p", "DeletionProtection=true").status == 0
    assert protected(aws) == [True, True]
    assert run("update", "--yes", "--keep-release", "-p", "DeletionProtection=false").status == 0
    assert protected(aws) == [False, False]


def protected(aws: PlayedAws) -> list[bool]:
    return [aws.stack(f"intent-{kind}")["EnableTerminationProtection"] for kind in ("balancer", "service")]


def test_a_release_that_was_kept_serves_again_without_its_files(
    deployed: PlayedAws, run: Command, tmp_path: Path
) -> None:
    release = deployed.parameters("intent-image")["ReleaseName"]
    assert run("destroy", "--yes", "--name", "intent").status == 0
    done = run("deploy", "--yes", "--release", release, "--models", tmp_path / "none")
    assert done.status == 0, done
    assert deployed.stack("intent-image") is None
    assert deployed.parameters("intent-service")["ImageParameter"] == f"/intent/images/{release}"
    done = run("deploy", "--yes", "--release", "9-000000000000")
    assert done.status == 1
    assert f"no image of release 9-000000000000; there are: {release}" in done.err


def test_a_model_that_is_missing_is_said_before_aws_is_asked(aws: PlayedAws, run: Command, tmp_path: Path) -> None:
    put_version(tmp_path / "models", 1)
    done = run("deploy", "--yes", "--models", tmp_path / "models", "--model-version", 3)
    assert done.status == 1
    assert "holds no version 3, only 1" in done.err
    assert not aws.calls
