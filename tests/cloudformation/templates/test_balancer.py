"""The load balancer, deployed: listeners, health checks, security groups, alarms; and it fits the gateway."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from cloudformation.errors import UsageError
from cloudformation.template.files import TEMPLATES, load
from cloudformation.template.parameters import resolve
from gateway.settings.settings import Settings
from tests.cloudformation.played.cloud import Cloud

NETWORK = {"VpcId": "vpc-00000001", "LoadBalancerSubnetIds": "subnet-00000001,subnet-00000002"}
ACCOUNT = "123456789012"


def attributes(cloud: Cloud) -> dict[str, str]:
    """Of load balancer and target group."""
    client = cloud.client("elbv2")
    (balancer,) = client.describe_load_balancers()["LoadBalancers"]
    of_balancer = client.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"]
    of_targets = client.describe_target_group_attributes(TargetGroupArn=cloud.outputs["TargetGroupArn"])["Attributes"]
    return {each["Key"]: each["Value"] for each in [*of_balancer, *of_targets]}


def target_group(cloud: Cloud) -> dict[str, Any]:
    (found,) = cloud.client("elbv2").describe_target_groups(TargetGroupArns=[cloud.outputs["TargetGroupArn"]])[
        "TargetGroups"
    ]
    return dict(found)


def listeners(cloud: Cloud) -> dict[int, dict[str, Any]]:
    """By port."""
    client = cloud.client("elbv2")
    (balancer,) = client.describe_load_balancers()["LoadBalancers"]
    found = client.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    return {listener["Port"]: listener for listener in found}


def group(cloud: Cloud, id_: str) -> dict[str, Any]:
    (found,) = cloud.client("ec2").describe_security_groups(GroupIds=[id_])["SecurityGroups"]
    return dict(found)


def openings(permissions: list[dict[str, Any]]) -> set[tuple[int, str]]:
    """(port, who) of every rule."""
    return {
        (each["FromPort"], who)
        for each in permissions
        for who in [
            *(pair["GroupId"] for pair in each["UserIdGroupPairs"]),
            *(range_["CidrIp"] for range_ in each["IpRanges"]),
        ]
    }


def certificate(cloud: Cloud) -> str:
    arn: str = cloud.client("acm").request_certificate(DomainName="intent.example.org")["CertificateArn"]
    return arn


def test_internet_facing_in_two_zones(fleet: Cloud) -> None:
    (balancer,) = fleet.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert (balancer["Scheme"], balancer["Type"]) == ("internet-facing", "application")
    assert {zone["ZoneName"] for zone in balancer["AvailabilityZones"]} == {"us-east-1a", "us-east-1b"}
    assert fleet.outputs["Url"] == f"http://{balancer['DNSName']}"
    assert fleet.outputs["LoadBalancerFullName"] in balancer["LoadBalancerArn"]


def test_plain_http_goes_to_the_gateways(fleet: Cloud) -> None:
    assert listeners(fleet).keys() == {80}
    (action,) = listeners(fleet)[80]["DefaultActions"]
    assert (action["Type"], action["TargetGroupArn"]) == ("forward", fleet.outputs["TargetGroupArn"])


def test_health_is_the_gateways_readiness(fleet: Cloud) -> None:
    group = target_group(fleet)
    assert (group["Protocol"], group["Port"], group["TargetType"]) == ("HTTP", 5000, "instance")
    assert (group["HealthCheckPath"], group["HealthCheckProtocol"]) == ("/readyz", "HTTP")
    assert group["Matcher"] == {"HttpCode": "200"}
    assert group["HealthCheckTimeoutSeconds"] < group["HealthCheckIntervalSeconds"]


def test_times_fit_the_gateways_own(fleet: Cloud) -> None:
    lines = (Path(__file__).parents[3] / "cloudformation/image/gateway.env").read_text().splitlines()
    given = tomllib.loads("\n".join(line for line in lines if "_SECONDS=" in line))
    settings = Settings(**{name.removeprefix("GATEWAY_").lower(): value for name, value in given.items()})
    timing, group = attributes(fleet), target_group(fleet)
    idle = float(timing["idle_timeout.timeout_seconds"])
    assert idle < settings.keep_alive_seconds
    assert idle == settings.load_balancer_idle_seconds
    longest = settings.body_seconds + settings.max_deadline_seconds
    assert float(timing["deregistration_delay.timeout_seconds"]) >= longest
    assert idle > longest, "the load balancer would give up a request that the gateway still works on"
    # A readiness probe runs for the gateway's deadline at most.
    assert group["HealthCheckTimeoutSeconds"] > settings.deadline_seconds
    seconds_to_notice = group["HealthCheckIntervalSeconds"] * group["UnhealthyThresholdCount"]
    assert settings.load_balancer_window_seconds / 2 >= seconds_to_notice


def test_security_groups_are_chained(fleet: Cloud) -> None:
    (balancer,) = fleet.client("elbv2").describe_load_balancers()["LoadBalancers"]
    (outer_id,) = balancer["SecurityGroups"]
    inner_id = fleet.outputs["InstanceSecurityGroupId"]
    outer, inner = group(fleet, outer_id), group(fleet, inner_id)
    assert openings(outer["IpPermissions"]) == {(80, "0.0.0.0/0")}
    assert openings(outer["IpPermissionsEgress"]) == {(5000, inner_id)}
    assert openings(inner["IpPermissions"]) == {(5000, outer_id)}
    assert openings(inner["IpPermissionsEgress"]) == {(443, "0.0.0.0/0")}


def test_what_is_safe_by_default(fleet: Cloud) -> None:
    timing = attributes(fleet)
    assert timing["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert timing["deletion_protection.enabled"] == "false"
    assert timing["access_logs.s3.enabled"] == "false"
    assert timing["slow_start.duration_seconds"] == "0"


def test_certificate_leads_everybody_to_tls(account: Cloud) -> None:
    account.deploy("network")
    outputs = account.deploy("balancer", {"CertificateArn": certificate(account), "ClientCidr": "203.0.113.0/24"})
    found = listeners(account)
    assert found.keys() == {80, 443}
    (redirect,) = found[80]["DefaultActions"]
    assert redirect["Type"] == "redirect"
    assert redirect["RedirectConfig"].items() >= {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}.items()
    assert found[443]["Protocol"] == "HTTPS"
    assert found[443]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-")
    assert found[443]["DefaultActions"][0]["TargetGroupArn"] == outputs["TargetGroupArn"]
    assert outputs["Url"].startswith("https://")
    (balancer,) = account.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert openings(group(account, balancer["SecurityGroups"][0])["IpPermissions"]) == {
        (80, "203.0.113.0/24"),
        (443, "203.0.113.0/24"),
    }


def test_options_of_the_load_balancer(account: Cloud) -> None:
    account.deploy("network")
    acl = account.client("wafv2").create_web_acl(
        Name="rules",
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig={"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "rules"},
    )["Summary"]["ARN"]
    account.deploy(
        "balancer",
        {"AccessLogBucket": "logs", "DeletionProtection": "true", "SlowStartSeconds": "60", "WebAclArn": acl},
    )
    timing = attributes(account)
    assert timing["access_logs.s3.enabled"] == "true"
    assert timing["access_logs.s3.bucket"] == "logs"
    assert timing["access_logs.s3.prefix"] == "intent"
    assert timing["deletion_protection.enabled"] == "true"
    assert timing["slow_start.duration_seconds"] == "60"
    (balancer,) = account.client("elbv2").describe_load_balancers()["LoadBalancers"]
    guard = account.client("wafv2").get_web_acl_for_resource(ResourceArn=balancer["LoadBalancerArn"])
    assert guard["WebACL"]["ARN"] == acl


def test_grpc_clients_come_in_by_their_group_only(account: Cloud) -> None:
    account.deploy("network")
    clients = account.client("ec2").create_security_group(
        GroupName="clients", Description="clients", VpcId=account.outputs["VpcId"]
    )["GroupId"]
    account.deploy("balancer", {"GrpcClientSecurityGroupId": clients})
    inner = group(account, account.outputs["InstanceSecurityGroupId"])
    assert (8500, clients) in openings(inner["IpPermissions"])
    assert {port for port, _ in openings(inner["IpPermissions"])} == {5000, 8500}


def test_alarms_that_stop_a_rollout(account: Cloud) -> None:
    account.deploy("network")
    topic = account.client("sns").create_topic(Name="alarms")["TopicArn"]
    outputs = account.deploy("balancer", {"AlarmTopicArn": topic, "LatencySeconds": "0.5"})
    alarms = {alarm["AlarmName"]: alarm for alarm in account.client("cloudwatch").describe_alarms()["MetricAlarms"]}
    assert set(outputs["RolloutAlarmNames"].split(",")) == alarms.keys()
    assert set(outputs["RollbackAlarmArns"].split(",")) == {alarm["AlarmArn"] for alarm in alarms.values()}
    assert alarms.keys() == {
        f"intent-{kind}" for kind in ("target-5xx", "load-balancer-5xx", "unhealthy-hosts", "latency-p99")
    }
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]
        # A quiet night must not roll anything back.
        assert alarm["TreatMissingData"] == "notBreaching"
    assert alarms["intent-latency-p99"]["Threshold"] == 0.5
    (rate,) = (each for each in alarms["intent-target-5xx"]["Metrics"] if each.get("ReturnData"))
    assert "errors / requests" in rate["Expression"]
    watched = {each["Name"]: each["Value"] for each in alarms["intent-unhealthy-hosts"]["Dimensions"]}
    assert watched == {"LoadBalancer": outputs["LoadBalancerFullName"], "TargetGroup": outputs["TargetGroupFullName"]}


def test_nobody_is_told_by_default(fleet: Cloud) -> None:
    alarms = fleet.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarms
    assert not any(alarm["AlarmActions"] for alarm in alarms)


def test_every_alarm_is_in_the_runbooks_words() -> None:
    for kind in ("balancer", "observability"):
        for resource in load(TEMPLATES[kind])["Resources"].values():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                slug = resource["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("${DeploymentName}-")
                assert f"(runbook, {slug})" in resource["Properties"]["AlarmDescription"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DeploymentName", "Intent"),
        ("DeploymentName", "a-name-that-is-far-too-long"),
        ("VpcId", "network"),
        ("LoadBalancerSubnetIds", "subnet-00000001,vpc-00000001"),
        ("ClientCidr", "everybody"),
        ("ClientCidr", "10.0.0.0/33"),
        ("GrpcClientSecurityGroupId", "clients"),
        ("CertificateArn", f"arn:aws:iam::{ACCOUNT}:server-certificate/old"),
        ("AccessLogBucket", "s3://logs"),
        ("WebAclArn", f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/a/b"),
        ("DeletionProtection", "yes"),
        ("SlowStartSeconds", "10"),
        ("SlowStartSeconds", "900"),
        ("LatencySeconds", "0"),
        ("LatencySeconds", "11"),
        ("AlarmTopicArn", "alarms"),
    ],
)
def test_wrong_parameter_is_refused(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        resolve(load(TEMPLATES["balancer"]), {**NETWORK, name: value})
