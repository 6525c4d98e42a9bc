"""The network, deployed: zones, ways in and out."""

from typing import Any

import pytest

from cloudformation.errors import UsageError
from cloudformation.template.files import TEMPLATES, load
from cloudformation.template.parameters import resolve
from cloudformation.template.values import Values
from tests.cloudformation.played.cloud import Cloud


def subnets(cloud: Cloud, output: str) -> list[dict[str, Any]]:
    found = cloud.client("ec2").describe_subnets(SubnetIds=cloud.outputs[output].split(","))["Subnets"]
    return sorted(found, key=lambda subnet: subnet["AvailabilityZone"])


def way_out(cloud: Cloud, subnet: str) -> dict[str, Any]:
    """The default route of a subnet."""
    (table,) = cloud.client("ec2").describe_route_tables(
        Filters=[{"Name": "association.subnet-id", "Values": [subnet]}]
    )["RouteTables"]
    (route,) = (route for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0")
    return dict(route)


def test_two_public_zones_by_default(fleet: Cloud) -> None:
    found = subnets(fleet, "LoadBalancerSubnetIds")
    assert [subnet["AvailabilityZone"] for subnet in found] == ["us-east-1a", "us-east-1b"]
    assert [subnet["CidrBlock"] for subnet in found] == ["10.0.0.0/20", "10.0.16.0/20"]
    assert all(subnet["VpcId"] == fleet.outputs["VpcId"] for subnet in found)
    assert all(way_out(fleet, subnet["SubnetId"])["GatewayId"].startswith("igw-") for subnet in found)


@pytest.mark.parametrize(("private", "first"), [("no", True), ("yes", False)])
def test_only_the_subnet_that_images_are_built_in_gives_addresses_by_itself(private: str, first: bool) -> None:
    """Image Builder cannot ask for one. The launch template of the service can."""
    found = Values(load(TEMPLATES["network"]), {"PrivateInstances": private}).resources("AWS::EC2::Subnet")
    assert {name for name, subnet in found.items() if subnet["MapPublicIpOnLaunch"]} == (
        {"PublicSubnet1"} if first else set()
    )


def test_instances_share_the_public_subnets_and_need_an_address(fleet: Cloud) -> None:
    assert fleet.outputs["InstanceSubnetIds"] == fleet.outputs["LoadBalancerSubnetIds"]
    assert fleet.outputs["AssociatePublicIp"] == "true"
    assert not fleet.client("ec2").describe_nat_gateways()["NatGateways"]


@pytest.mark.parametrize("zones", ["2", "3"])
def test_private_instances_have_a_way_out_of_their_own_zone(account: Cloud, zones: str) -> None:
    account.deploy("network", {"PrivateInstances": "yes", "ZoneCount": zones, "VpcCidr": "172.20.0.0/16"})
    private = subnets(account, "InstanceSubnetIds")
    public = subnets(account, "LoadBalancerSubnetIds")
    assert len(private) == len(public) == int(zones)
    assert [each["CidrBlock"] for each in private] == ["172.20.128.0/20", "172.20.144.0/20", "172.20.160.0/20"][
        : int(zones)
    ]
    assert account.outputs["AssociatePublicIp"] == "false"
    for inner, outer in zip(private, public, strict=True):
        assert inner["AvailabilityZone"] == outer["AvailabilityZone"]
        gateway = way_out(account, inner["SubnetId"])["NatGatewayId"]
        (nat,) = account.client("ec2").describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
        assert nat["SubnetId"] == outer["SubnetId"]


def test_s3_is_reached_without_the_gateways(account: Cloud) -> None:
    account.deploy("network", {"PrivateInstances": "yes"})
    ec2 = account.client("ec2")
    (endpoint,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert endpoint["ServiceName"] == "com.amazonaws.us-east-1.s3"
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [account.outputs["VpcId"]]}])[
        "RouteTables"
    ]
    with_subnets = {
        table["RouteTableId"] for table in tables if any("SubnetId" in each for each in table["Associations"])
    }
    assert set(endpoint["RouteTableIds"]) == with_subnets


def test_flow_logs_on_demand(fleet: Cloud, account: Cloud) -> None:
    assert "FlowLogGroup" not in fleet.outputs
    outputs = account.deploy("network", {"FlowLogs": "yes", "LogRetentionDays": "7"})
    (group,) = account.client("logs").describe_log_groups(logGroupNamePrefix=outputs["FlowLogGroup"])["logGroups"]
    assert group["retentionInDays"] == 7
    (log,) = account.client("ec2").describe_flow_logs()["FlowLogs"]
    assert (log["ResourceId"], log["TrafficType"]) == (outputs["VpcId"], "ALL")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VpcCidr", "10.0.0.0/24"),
        ("VpcCidr", "8.8.0.0/16"),
        ("VpcCidr", "10.0.16.0/16"),
        ("VpcCidr", "172.32.0.0/16"),
        ("VpcCidr", "10.256.0.0/16"),
        ("ZoneCount", "1"),
        ("ZoneCount", "4"),
        ("PrivateInstances", "true"),
        ("FlowLogs", ""),
        ("LogRetentionDays", "2"),
    ],
)
def test_wrong_parameter_is_refused(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        resolve(load(TEMPLATES["network"]), {name: value})
