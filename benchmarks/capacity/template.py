"""What the fleet is built to do, read from its templates and from the settings of an instance."""

from dataclasses import dataclass
from typing import Any

from benchmarks.capacity.instance import Limits
from cloudformation import rollout, templates
from cloudformation.documents import facts
from gateway.settings.settings import Settings
from serving_config.files import ConfigFiles, read
from serving_config.protos import BatchingParameters

GATEWAY_ENVIRONMENT = facts.UNITS.parent / "gateway.env"


@dataclass(frozen=True)
class Policy:
    """The numbers of network.yaml, balancer.yaml and service.yaml with their defaults; times in seconds.

    Attributes:
        zones: availability zones.
        out_of_rotation: from the moment at which an instance vanishes until no request is sent to it.
        into_rotation: from an instance's first answer until requests are sent to it.
        draining: in which an instance that is ended finishes what runs.
        warm_up: until a new instance counts, and until a refresh goes on.
        bake: in which a refresh watches the alarms at its end.
        fewest: MinSize. most: the largest MaxSize that the template takes.
        instance_type: the default. target: RequestsPerTarget, requests a minute.
        alarm_p99: above which the latency alarm sounds.
        refresh: the arithmetic of an instance refresh. rolling: the values of a rolling update.
    """

    zones: int
    out_of_rotation: int
    into_rotation: int
    draining: int
    warm_up: int
    bake: int
    fewest: int
    most: int
    instance_type: str
    target: int
    alarm_p99: float
    refresh: rollout.Rollout

    def rolling(self, desired: int) -> rollout.Rollout:
        """The arithmetic of a rolling update of a fleet with that DesiredCapacity."""
        return rollout.policies(_service(), {"DesiredCapacity": str(desired)})["rolling-update"]


def policy() -> Policy:
    """Of the templates as they are."""
    loaded = {name: templates.load(path) for name, path in templates.TEMPLATES.items()}
    known = facts.read(loaded)
    target_group = known.one("AWS::ElasticLoadBalancingV2::TargetGroup").properties
    group = known.one("AWS::AutoScaling::AutoScalingGroup").properties
    attributes = {each["Key"]: each["Value"] for each in target_group["TargetGroupAttributes"]}
    interval = int(target_group["HealthCheckIntervalSeconds"])
    bake = known.stacks["service"].of({"Fn::FindInMap": ["Bake", {"Ref": "BakeMinutes"}, "Seconds"]})
    service = loaded["service"]
    return Policy(
        zones=len(known.zones()),
        out_of_rotation=interval * int(target_group["UnhealthyThresholdCount"]),
        into_rotation=interval * int(target_group["HealthyThresholdCount"]),
        draining=int(attributes["deregistration_delay.timeout_seconds"]),
        warm_up=int(group["DefaultInstanceWarmup"]),
        bake=int(bake),
        fewest=int(group["MinSize"]),
        most=int(service["Parameters"]["MaxSize"]["MaxValue"]),
        instance_type=known.parameter("InstanceType"),
        target=int(known.parameter("RequestsPerTarget")),
        alarm_p99=float(known.parameter("LatencySeconds")),
        refresh=rollout.policies(service, {"DesiredCapacity": group["DesiredCapacity"]})["instance-refresh"],
    )


def _service() -> templates.Template:
    return templates.load(templates.TEMPLATES["service"])


def instance_settings() -> dict[str, int]:
    """The gateway's settings of an instance that decide who waits, other than its defaults."""
    lines = [line for line in GATEWAY_ENVIRONMENT.read_text().splitlines() if line.startswith("GATEWAY_")]
    values = dict(line.removeprefix("GATEWAY_").split("=", 1) for line in lines)
    return {name: int(values[name.upper()]) for name in ("max_in_flight", "max_queue") if name.upper() in values}


def batching() -> tuple[int, int]:
    """Batches that the model server runs at a time, and rows in one."""
    config: Any = read(ConfigFiles().batching, BatchingParameters())
    return config.num_batch_threads.value, config.max_execution_batch_size.value or config.max_batch_size.value


def limits(threads: int, batch_rows: int) -> Limits:
    """Of an instance of the fleet."""
    settings = Settings(**instance_settings())
    return Limits(
        settings.max_in_flight,
        settings.max_queue,
        settings.max_calls,
        settings.max_combined_texts,
        threads,
        batch_rows,
        settings.deadline_seconds,
    )
