"""What moto's CloudFormation leaves out of these templates, made in moto's own services; import it before moto is used.

Added here: alarms, scaling policies, routes of subnets, web ACL associations. `moto_completed` adds to what moto
makes in part.
"""

from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.cloudformation import parsing
from moto.cloudwatch.models import Dimension, Metric, MetricDataQuery, MetricStat, cloudwatch_backends
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.wafv2.models import wafv2_backends

from tests.cloudformation.played import moto_completed as moto_completed


class _New(CloudFormationModel):
    """A resource that only CloudFormation has to know: an id, attributes, and how it is put and taken away."""

    def __init__(self, resource_id: str, attributes: dict[str, str]) -> None:
        self.physical_resource_id = resource_id
        self._attributes = attributes

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in ("Arn", "PolicyName", "Id")

    def get_cfn_attribute(self, name: str) -> str:
        return self._attributes[name]

    def is_created(self) -> bool:
        return True

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Any:
        name = new_resource_name if cls.cloudformation_name_type() else original_resource.physical_resource_id
        return cls.create_from_cloudformation_json(name, cloudformation_json, account_id, region_name)

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name: str, *_rest: Any) -> None:
        """Nothing is asked for once the stack is gone."""


class AlarmResource(_New, CloudFormationModel):
    @staticmethod
    def cloudformation_name_type() -> str:
        return "AlarmName"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudWatch::Alarm"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_kwargs: Any
    ) -> "AlarmResource":
        properties = cloudformation_json["Properties"]
        alarm = cloudwatch_backends[account_id][region_name].put_metric_alarm(
            name=resource_name,
            namespace=properties.get("Namespace"),
            metric_name=properties.get("MetricName"),
            metric_data_queries=[_query(each) for each in properties.get("Metrics", [])],
            comparison_operator=properties["ComparisonOperator"],
            evaluation_periods=int(properties["EvaluationPeriods"]),
            datapoints_to_alarm=properties.get("DatapointsToAlarm"),
            period=properties.get("Period"),
            threshold=float(properties["Threshold"]),
            statistic=properties.get("Statistic"),
            extended_statistic=properties.get("ExtendedStatistic"),
            description=properties.get("AlarmDescription"),
            dimensions=[
                {"name": each["Name"], "value": each["Value"], **each} for each in properties.get("Dimensions", [])
            ],
            alarm_actions=properties.get("AlarmActions", []),
            ok_actions=properties.get("OKActions", []),
            treat_missing_data=properties.get("TreatMissingData"),
            evaluate_low_sample_count_percentile=properties.get("EvaluateLowSampleCountPercentile"),
        )
        return cls(alarm.name, {"Arn": alarm.alarm_arn})

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name: str, *_rest: Any) -> None:
        _json, account_id, region_name = _rest
        cloudwatch_backends[account_id][region_name].delete_alarms([resource_name])


def _query(metric: dict[str, Any]) -> MetricDataQuery:
    stat = metric.get("MetricStat")
    if stat:
        inner = stat["Metric"]
        dimensions = [Dimension(name=each["Name"], value=each["Value"]) for each in inner["Dimensions"]]
        stat = MetricStat(
            Metric(inner["MetricName"], inner["Namespace"], dimensions), stat["Period"], stat["Stat"], None
        )
    return MetricDataQuery(
        metric["Id"], metric.get("Label"), "60", metric.get("ReturnData", True), metric.get("Expression"), stat
    )


class ScalingPolicyResource(_New, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::AutoScaling::ScalingPolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_kwargs: Any
    ) -> "ScalingPolicyResource":
        properties = cloudformation_json["Properties"]
        autoscaling_backends[account_id][region_name].put_scaling_policy(
            name=resource_name,
            policy_type=properties["PolicyType"],
            metric_aggregation_type=None,
            adjustment_type=None,
            as_name=properties["AutoScalingGroupName"],
            min_adjustment_magnitude=None,
            scaling_adjustment=None,
            cooldown=None,
            target_tracking_config=properties["TargetTrackingConfiguration"],
            step_adjustments=None,
            estimated_instance_warmup=None,
            predictive_scaling_configuration=None,
        )
        return cls(resource_name, {"PolicyName": resource_name})


class SubnetRouteTableAssociationResource(_New, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::EC2::SubnetRouteTableAssociation"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_kwargs: Any
    ) -> "SubnetRouteTableAssociationResource":
        properties = cloudformation_json["Properties"]
        made = ec2_backends[account_id][region_name].associate_route_table(
            properties["RouteTableId"], subnet_id=properties["SubnetId"]
        )
        return cls(made, {})

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name: str, *_rest: Any) -> None:
        _json, account_id, region_name = _rest
        # A table that still has subnets keeps its network from being deleted.
        ec2_backends[account_id][region_name].disassociate_route_table(resource_name)


class WebAclAssociationResource(_New, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::WAFv2::WebACLAssociation"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_kwargs: Any
    ) -> "WebAclAssociationResource":
        properties = cloudformation_json["Properties"]
        wafv2_backends[account_id][region_name].associate_web_acl(properties["WebACLArn"], properties["ResourceArn"])
        return cls(resource_name, {})


# Moto remembers its models at the first use.
for remembered in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
    remembered.cache_clear()
