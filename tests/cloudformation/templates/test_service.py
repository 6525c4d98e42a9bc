"""The service, deployed: group, launch template, scaling, role."""

import ast
import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from cloudformation.image.instance.settings import InstanceSettings, read_settings
from cloudformation.template.files import TEMPLATES, load
from tests.cloudformation.played.cloud import Cloud


def group(cloud: Cloud) -> dict[str, Any]:
    name = cloud.outputs["AutoScalingGroupName"]
    (found,) = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
        "AutoScalingGroups"
    ]
    return dict(found)


def launch_data(cloud: Cloud) -> dict[str, Any]:
    """The launch template's version that the group launches."""
    chosen = group(cloud)["LaunchTemplate"]
    (version,) = cloud.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=chosen["LaunchTemplateId"], Versions=[chosen["Version"]]
    )["LaunchTemplateVersions"]
    return dict(version["LaunchTemplateData"])


def user_data(cloud: Cloud) -> str:
    return base64.b64decode(launch_data(cloud)["UserData"]).decode()


def settings(cloud: Cloud, folder: Path) -> InstanceSettings:
    """What the instance itself reads from its user data."""
    (content,) = re.findall(r"<<'END'\n(.*?)^END$", user_data(cloud), re.DOTALL | re.MULTILINE)
    file = folder / "instance.env"
    file.write_text(content)
    return read_settings(file)


def role(cloud: Cloud) -> dict[str, Any]:
    profile = launch_data(cloud)["IamInstanceProfile"]["Arn"].split("/")[-1]
    iam = cloud.client("iam")
    name = iam.get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]["Roles"][0]["RoleName"]
    return dict(iam.get_role(RoleName=name)["Role"])


def statements(cloud: Cloud) -> list[dict[str, Any]]:
    """What the instances may do."""
    document = cloud.client("iam").get_role_policy(RoleName=role(cloud)["RoleName"], PolicyName="run")["PolicyDocument"]
    # Moto keeps the document as Python prints it, and a statement that is not there as None.
    return [each for each in ast.literal_eval(document)["Statement"] if each]


def service_on_demand(cloud: Cloud, given: dict[str, str]) -> None:
    """The default fleet, the service with these parameters."""
    cloud.deploy("network")
    cloud.deploy("balancer")
    cloud.deploy("service", {"ImageParameter": cloud.put_image("1-000000000001"), **given})


def test_one_two_three_over_two_zones(fleet: Cloud) -> None:
    found = group(fleet)
    assert (found["MinSize"], found["DesiredCapacity"], found["MaxSize"]) == (1, 2, 3)
    assert found["VPCZoneIdentifier"] == fleet.outputs["InstanceSubnetIds"]
    assert len(found["VPCZoneIdentifier"].split(",")) == 2
    assert len(found["Instances"]) == 2


def test_instances_join_the_target_group_and_are_judged_by_it(fleet: Cloud) -> None:
    found = group(fleet)
    assert found["TargetGroupARNs"] == [fleet.outputs["TargetGroupArn"]]
    assert found["HealthCheckType"] == "ELB"
    targets = fleet.client("elbv2").describe_target_health(TargetGroupArn=fleet.outputs["TargetGroupArn"])
    assert {each["Target"]["Port"] for each in targets["TargetHealthDescriptions"]} == {5000}


def test_launch_waits_for_the_instances_own_word(fleet: Cloud) -> None:
    (hook,) = fleet.client("autoscaling").describe_lifecycle_hooks(AutoScalingGroupName="intent-service")[
        "LifecycleHooks"
    ]
    assert hook["LifecycleHookName"] == "ready"
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_LAUNCHING"
    assert hook["DefaultResult"] == "ABANDON"
    assert hook["HeartbeatTimeout"] == 480


def test_instance_is_the_image_of_the_ssm_parameter(fleet: Cloud) -> None:
    data = launch_data(fleet)
    assert data["ImageId"] == fleet.image("/intent/images/1-000000000001")
    assert data["InstanceType"] == "t2.micro"


def test_instance_is_closed(fleet: Cloud) -> None:
    data = launch_data(fleet)
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert "KeyName" not in data
    (volume,) = data["BlockDeviceMappings"]
    assert volume["DeviceName"] == "/dev/sda1"
    assert volume["Ebs"]["VolumeType"] == "gp3"
    assert volume["Ebs"]["Encrypted"] is True
    (interface,) = data["NetworkInterfaces"]
    assert interface["Groups"] == [fleet.outputs["InstanceSecurityGroupId"]]
    assert interface["AssociatePublicIpAddress"] is True


def test_private_instances_get_no_address(account: Cloud) -> None:
    account.deploy("network", {"PrivateInstances": "yes"})
    account.deploy("balancer")
    account.deploy("service", {"ImageParameter": account.put_image("1-000000000001")})
    assert launch_data(account)["NetworkInterfaces"][0]["AssociatePublicIpAddress"] is False
    assert group(account)["VPCZoneIdentifier"] == account.outputs["InstanceSubnetIds"]


def test_a_vpc_of_ones_own_is_as_good(account: Cloud) -> None:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = ",".join(
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(("us-east-1a", "us-east-1b"))
    )
    account.deploy("balancer", {"VpcId": vpc, "LoadBalancerSubnetIds": subnets})
    image = account.put_image("1-000000000001")
    account.deploy("service", {"InstanceSubnetIds": subnets, "AssociatePublicIp": "false", "ImageParameter": image})
    assert group(account)["VPCZoneIdentifier"] == subnets
    assert len(group(account)["Instances"]) == 2


def test_instance_understands_its_user_data(fleet: Cloud, tmp_path: Path) -> None:
    told = settings(fleet, tmp_path)
    assert (told.deployment, told.region) == ("intent", "us-east-1")
    assert (told.asg, told.hook, told.ready_seconds) == (fleet.outputs["AutoScalingGroupName"], "ready", 480)
    assert told.stack.endswith(tuple(_stack_ids(fleet)))
    assert told.resource in load(TEMPLATES["service"])["Resources"]
    assert told.target_group_arn == fleet.outputs["TargetGroupArn"]
    assert told.log_group == "/intent"
    assert (told.keys_secret, told.keys_parameter) == ("", "")


def _stack_ids(cloud: Cloud) -> list[str]:
    stacks = cloud.client("cloudformation").describe_stacks(StackName="intent-service")["Stacks"]
    return [stack["StackId"] for stack in stacks]


def test_new_image_is_a_new_version_that_the_group_launches(account: Cloud) -> None:
    service_on_demand(account, {})
    before = launch_data(account)["ImageId"]
    assert account.outputs["LaunchTemplateVersion"] == "1"
    second = account.put_image("2-000000000002")
    account.deploy("service", {"ImageParameter": second})
    assert account.outputs["LaunchTemplateVersion"] == "2"
    assert group(account)["LaunchTemplate"]["Version"] == "2"
    assert launch_data(account)["ImageId"] == account.image(second) != before
    account.deploy("service", {"ImageParameter": "/intent/images/1-000000000001"})
    assert launch_data(account)["ImageId"] == before


def test_scaling_follows_requests(fleet: Cloud) -> None:
    (policy,) = fleet.client("autoscaling").describe_policies(AutoScalingGroupName="intent-service")["ScalingPolicies"]
    tracking = policy["TargetTrackingConfiguration"]
    assert tracking["TargetValue"] == 2000
    assert tracking["DisableScaleIn"] is False
    assert tracking["PredefinedMetricSpecification"] == {
        "PredefinedMetricType": "ALBRequestCountPerTarget",
        "ResourceLabel": f"{fleet.outputs['LoadBalancerFullName']}/{fleet.outputs['TargetGroupFullName']}",
    }


def test_role_may_do_what_an_instance_does_and_no_more(fleet: Cloud) -> None:
    allowed = {
        action: (each["Resource"], each.get("Condition"))
        for each in statements(fleet)
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    }
    assert allowed.keys() == {
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:RecordLifecycleActionHeartbeat",
        "cloudformation:SignalResource",
        "elasticloadbalancing:DescribeTargetHealth",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "cloudwatch:PutMetricData",
    }
    assert allowed["autoscaling:CompleteLifecycleAction"][0].endswith("autoScalingGroupName/intent-service")
    assert allowed["cloudformation:SignalResource"][0] in _stack_ids(fleet)
    assert "/intent" in allowed["logs:PutLogEvents"][0]
    assert allowed["cloudwatch:PutMetricData"] == ("*", {"StringEquals": {"cloudwatch:namespace": "Intent"}})
    everywhere = {action for action, (resource, condition) in allowed.items() if resource == "*" and not condition}
    assert everywhere == {"elasticloadbalancing:DescribeTargetHealth"}


def test_boundary_of_the_role(account: Cloud) -> None:
    statement = {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    boundary = account.client("iam").create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
    service_on_demand(account, {"PermissionsBoundary": boundary})
    assert role(account)["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary


@pytest.mark.parametrize(
    ("given", "action", "resource"),
    [
        ({"ApiKeysSecret": "intent/keys"}, "secretsmanager:GetSecretValue", ":secret:intent/keys-??????"),
        ({"ApiKeysParameter": "/intent/keys"}, "ssm:GetParameter", ":parameter/intent/keys"),
    ],
)
def test_keys_are_named_and_may_be_fetched(
    account: Cloud, tmp_path: Path, given: dict[str, str], action: str, resource: str
) -> None:
    service_on_demand(account, given)
    (statement,) = (each for each in statements(account) if each["Action"] == action)
    assert statement["Resource"].endswith(resource)
    told = settings(account, tmp_path)
    assert [told.keys_secret, told.keys_parameter] == [
        given.get("ApiKeysSecret", ""),
        given.get("ApiKeysParameter", ""),
    ]


def test_logs_have_an_end(fleet: Cloud) -> None:
    (found,) = fleet.client("logs").describe_log_groups(logGroupNamePrefix="/intent")["logGroups"]
    assert (found["logGroupName"], found["retentionInDays"]) == ("/intent", 30)


@pytest.mark.parametrize("rollout", ["instance-refresh", "rolling-update"])
@pytest.mark.parametrize("type_", ["t2.micro", "t3.small"])
def test_both_rollouts_deploy_with_any_type(account: Cloud, rollout: str, type_: str) -> None:
    sizes = {"MinSize": "2", "DesiredCapacity": "3", "MaxSize": "4"}
    service_on_demand(account, {"Rollout": rollout, "InstanceType": type_, **sizes})
    assert len(group(account)["Instances"]) == 3
    assert launch_data(account)["InstanceType"] == type_
