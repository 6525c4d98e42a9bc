"""Resources that moto's CloudFormation makes only in part; imported by `moto_models`.

Completed: the attributes of load balancer and target group, the outgoing rules of security groups, the size of an
image's root volume, the lifecycle hooks of an Auto Scaling group.
"""

from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup, autoscaling_backends
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.security_groups import SecurityGroup
from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup, elbv2_backends


def _attributes(properties: dict[str, Any], key: str) -> dict[str, str]:
    return {each["Key"]: str(each["Value"]) for each in properties.get(key, []) if each}


class LoadBalancerResource(CloudFormationModel):
    cloudformation_name_type = FakeLoadBalancer.cloudformation_name_type
    cloudformation_type = FakeLoadBalancer.cloudformation_type
    has_cfn_attr = FakeLoadBalancer.has_cfn_attr

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> FakeLoadBalancer:
        made = FakeLoadBalancer.create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        return cls.update_from_cloudformation_json(made, "", cloudformation_json, account_id, region_name)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> FakeLoadBalancer:
        attributes = _attributes(cloudformation_json["Properties"], "LoadBalancerAttributes")
        elbv2_backends[account_id][region_name].modify_load_balancer_attributes(original_resource.arn, attributes)
        of_moto = type(original_resource).get_cfn_attribute
        original_resource.get_cfn_attribute = lambda name: (
            original_resource.arn.split(":loadbalancer/")[1]
            if name == "LoadBalancerFullName"
            else of_moto(original_resource, name)
        )
        return original_resource


class TargetGroupResource(CloudFormationModel):
    cloudformation_name_type = FakeTargetGroup.cloudformation_name_type
    cloudformation_type = FakeTargetGroup.cloudformation_type

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in ("TargetGroupFullName", "TargetGroupArn", "TargetGroupName")

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> FakeTargetGroup:
        made = FakeTargetGroup.create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        return cls.update_from_cloudformation_json(made, "", cloudformation_json, account_id, region_name)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> FakeTargetGroup:
        attributes = _attributes(cloudformation_json["Properties"], "TargetGroupAttributes")
        elbv2_backends[account_id][region_name].modify_target_group_attributes(original_resource.arn, attributes)
        original_resource.get_cfn_attribute = lambda _name: original_resource.arn.split(":")[-1]
        return original_resource


class SecurityGroupResource(CloudFormationModel):
    cloudformation_name_type = SecurityGroup.cloudformation_name_type
    cloudformation_type = SecurityGroup.cloudformation_type
    has_cfn_attr = SecurityGroup.has_cfn_attr

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> SecurityGroup:
        made = SecurityGroup.create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        rules = cloudformation_json["Properties"].get("SecurityGroupEgress", [])
        if rules:
            # Any rule of one's own takes the place of the one that allows everything.
            made.egress_rules.clear()
        for rule in rules:
            group = rule.get("DestinationSecurityGroupId")
            ec2_backends[account_id][region_name].authorize_security_group_egress(
                made.id,
                rule["IpProtocol"],
                rule["FromPort"],
                rule["ToPort"],
                [{"CidrIp": rule["CidrIp"]}] if "CidrIp" in rule else [],
                source_groups=[{"GroupId": group}] if group else [],
            )
        return made


class LaunchTemplateResource(CloudFormationModel):
    cloudformation_name_type = LaunchTemplate.cloudformation_name_type
    cloudformation_type = LaunchTemplate.cloudformation_type
    has_cfn_attr = LaunchTemplate.has_cfn_attr

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, *rest: Any, **kwargs: Any
    ) -> Any:
        _fill_in_sizes(cloudformation_json)
        return LaunchTemplate.create_from_cloudformation_json(resource_name, cloudformation_json, *rest, **kwargs)

    @classmethod
    def update_from_cloudformation_json(cls, original_resource: Any, **kwargs: Any) -> Any:
        _fill_in_sizes(kwargs["cloudformation_json"])
        return LaunchTemplate.update_from_cloudformation_json(original_resource, **kwargs)


def _fill_in_sizes(cloudformation_json: Any) -> None:
    """AWS takes the size of the root volume from the image; moto's images have none."""
    for mapping in cloudformation_json["Properties"]["LaunchTemplateData"].get("BlockDeviceMappings", []):
        mapping["Ebs"].setdefault("VolumeSize", 8)


class AutoScalingGroupResource(CloudFormationModel):
    cloudformation_name_type = FakeAutoScalingGroup.cloudformation_name_type
    cloudformation_type = FakeAutoScalingGroup.cloudformation_type
    has_cfn_attr = FakeAutoScalingGroup.has_cfn_attr
    delete_from_cloudformation_json = FakeAutoScalingGroup.delete_from_cloudformation_json

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> FakeAutoScalingGroup:
        made = FakeAutoScalingGroup.create_from_cloudformation_json(
            resource_name, cloudformation_json, account_id, region_name, **kwargs
        )
        for hook in cloudformation_json["Properties"].get("LifecycleHookSpecificationList", []):
            autoscaling_backends[account_id][region_name].create_lifecycle_hook(
                hook["LifecycleHookName"],
                made.name,
                hook["LifecycleTransition"],
                int(hook["HeartbeatTimeout"]),
                hook["DefaultResult"],
            )
        return made

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> FakeAutoScalingGroup:
        cls.delete_from_cloudformation_json(original_resource.name, cloudformation_json, account_id, region_name)
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)
