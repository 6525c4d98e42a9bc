"""The picture of a deployment, drawn from the templates."""

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from cloudformation.documents.facts import DEPLOYMENT, Facts, Found, name_in
from cloudformation.documents.look import WIDTH, frame, page
from cloudformation.documents.svg import Box, arrow, lines, rectangle, text

# Leading blanks of another kind would be dropped.
_INDENT = "\u00a0" * 4
_LEFT = 24
_LEFT_WIDTH = 330
_RIGHT = 404
_RIGHT_WIDTH = WIDTH - _RIGHT - 24
_VPC = Box(_RIGHT, 112, _RIGHT_WIDTH, 560)
_BALANCER = Box(_RIGHT + 32, 204, _RIGHT_WIDTH - 64, 84)
_GROUP = Box(_RIGHT + 32, 352, _RIGHT_WIDTH - 64, 296)
_WATCH = Box(_RIGHT, 704, _RIGHT_WIDTH, 184)
_CLIENTS = Box(_RIGHT + _RIGHT_WIDTH / 2 - 90, 24, 180, 40)
_OPERATOR = Box(_LEFT, 24, _LEFT_WIDTH, 60)
_ARTIFACTS = Box(_LEFT, 136, _LEFT_WIDTH, 108)
_IMAGE = Box(_LEFT, 296, _LEFT_WIDTH, 328)
_LEGEND = Box(_LEFT, 704, _LEFT_WIDTH, 184)


def draw(facts: Facts) -> str:
    """The picture as SVG."""
    parts = (_preparation, _network, _balancer, _group, _watch, _legend)
    return page(line for part in parts for line in part(facts))


def _preparation(facts: Facts) -> Iterator[str]:
    """What makes an image: the command, the bucket, Image Builder, the parameter."""
    yield rectangle(_OPERATOR, "plain")
    yield text((_OPERATOR.x + 14, _OPERATOR.y + 25), "Operator", "title")
    yield text((_OPERATOR.x + 14, _OPERATOR.y + 46), "python -m cloudformation deploy", "small")

    bucket = facts.one("AWS::S3::Bucket")
    yield from frame(_ARTIFACTS, bucket, "S3 bucket")
    contents = ["release-<checksum>.tar.gz: gateway, one model", "version, configuration, systemd units"]
    yield lines((_ARTIFACTS.x + 14, _ARTIFACTS.y + 48), contents, "small")
    versions = bucket.properties["VersioningConfiguration"]["Status"].lower()
    yield text((_ARTIFACTS.x + 14, _ARTIFACTS.y + 92), f"private, encrypted, versioning {versions}", "small")
    yield arrow([_OPERATOR.bottom, _ARTIFACTS.top])
    yield text((_OPERATOR.bottom[0] + 10, 115), "packs a release", "label")

    image = facts.one("AWS::ImageBuilder::Image")
    yield from frame(_IMAGE, image, "EC2 Image Builder")
    yield arrow([_ARTIFACTS.bottom, _IMAGE.top])
    build = Box(_IMAGE.x + 14, _IMAGE.y + 38, _IMAGE.width - 28, 140)
    yield rectangle(build, "plain")
    recipe = facts.one("AWS::ImageBuilder::ImageRecipe").properties
    base = facts.parameter("BaseImage").removeprefix("/aws/service/canonical/").split("/")
    yield text((build.x + 12, build.y + 23), f"from {' '.join(base[:3]).title()} LTS", "title")
    yield lines((build.x + 12, build.y + 45), _steps(facts, recipe), "small", height=18)
    disk = recipe["BlockDeviceMappings"][0]["Ebs"]
    ami = Box(build.x, build.y + 164, build.width, 36)
    yield rectangle(ami, "plain")
    told = f"AMI, {disk['VolumeSize']} GB {disk['VolumeType']}, encrypted; kept for good"
    yield text((ami.x + 12, ami.y + 23), told, "small")
    parameter = facts.one("AWS::SSM::Parameter").properties
    stored = Box(ami.x, ami.y + 60, ami.width, 48)
    yield rectangle(stored, "plain")
    yield text((stored.x + 12, stored.y + 20), "SSM parameter", "small")
    name = parameter["Name"].removesuffix("/") + "/<release>"
    yield text((stored.x + 12, stored.y + 38), name, "title")
    yield arrow([build.bottom, ami.top])
    yield arrow([ami.bottom, stored.top])
    corner = stored.right[0] + 40
    yield arrow([stored.right, (corner, stored.right[1]), (corner, _GROUP.y + 190), (_GROUP.x, _GROUP.y + 190)])
    yield text((_IMAGE.x, _IMAGE.y + _IMAGE.height + 24), "another name in ImageParameter is a rollout", "label")


def _steps(facts: Facts, recipe: Mapping[str, Any]) -> list[str]:
    """The recipe's components in its order, by what they say of themselves; AWS's own by their name."""
    own = {each.name: str(each.properties["Description"]) for each in facts.all("AWS::ImageBuilder::Component")}
    steps = []
    for place, component in enumerate(recipe["Components"], start=1):
        name = name_in(component["ComponentArn"])
        told = own.get(name) or name.rpartition("component/")[2].partition("/")[0]
        steps += wrap(told, 44, initial_indent=f"{place}. ", subsequent_indent=_INDENT)
    return steps


def _network(facts: Facts) -> Iterator[str]:
    vpc = facts.one("AWS::EC2::VPC")
    yield from frame(_VPC, vpc, f"VPC {vpc.properties['CidrBlock']}")
    facts.one("AWS::EC2::InternetGateway")
    gateway = Box(_CLIENTS.x, _VPC.y - 16, _CLIENTS.width, 30)
    for place, subnets in enumerate(facts.zones()):
        zone = _zone(place, len(facts.zones()))
        yield rectangle(zone, "zone")
        told = " and ".join(f"subnet {each.properties['CidrBlock']}" for each in subnets)
        yield text((zone.x + 14, zone.y + 20), f"zone {place + 1} · {told}", "network")
    yield rectangle(gateway, "plain")
    yield text((gateway.x + gateway.width / 2, gateway.y + 20), "internet gateway", "small", "middle")
    for endpoint in facts.all("AWS::EC2::VPCEndpoint"):
        service = endpoint.properties["ServiceName"].rpartition(".")[2].upper()
        yield text(
            (_VPC.x + 150, _VPC.y + 22), f"{service} {endpoint.properties['VpcEndpointType'].lower()} endpoint", "small"
        )


def _zone(place: int, count: int) -> Box:
    gap = 36
    width = (_VPC.width - 36 - gap * (count - 1)) / count
    return Box(_VPC.x + 18 + place * (width + gap), _VPC.y + 40, width, _VPC.height - 56)


def _balancer(facts: Facts) -> Iterator[str]:
    balancer = facts.one("AWS::ElasticLoadBalancingV2::LoadBalancer")
    target = facts.one("AWS::ElasticLoadBalancingV2::TargetGroup").properties
    attributes = {each["Key"]: each["Value"] for each in balancer.properties["LoadBalancerAttributes"]}
    delays = {each["Key"]: each["Value"] for each in target["TargetGroupAttributes"]}
    yield rectangle(_CLIENTS, "plain", 20)
    yield text((_CLIENTS.x + _CLIENTS.width / 2, _CLIENTS.y + 25), "HTTP clients", "title", "middle")
    yield rectangle(_BALANCER, "page")
    yield from frame(_BALANCER, balancer, f"Application Load Balancer, {balancer.properties['Scheme']}")
    health = f"GET {target['HealthCheckPath']} every {target['HealthCheckIntervalSeconds']} s"
    told = [
        f"asks each target {health}: {target['HealthyThresholdCount']} good ones take it in, "
        f"{target['UnhealthyThresholdCount']} bad ones take it out",
        f"idle connections {attributes['idle_timeout.timeout_seconds']} s, targets that leave get "
        f"{delays['deregistration_delay.timeout_seconds']} s for requests that run",
    ]
    yield lines((_BALANCER.x + 14, _BALANCER.y + 46), told, "small", height=20)
    ports = [each.properties for each in facts.all("AWS::ElasticLoadBalancingV2::Listener")]
    shown = ", ".join(f"{each['Protocol']} {each['Port']}" for each in ports)
    yield arrow([_CLIENTS.bottom, (_CLIENTS.bottom[0], _VPC.y - 16)])
    yield arrow([(_CLIENTS.bottom[0], _VPC.y + 14), _BALANCER.top])
    (open_to,) = {source for _, port, source in facts.entries() if port == ports[0]["Port"]}
    yield text((_CLIENTS.bottom[0] + 12, 84), f"{shown} from {open_to}", "label")


def _group(facts: Facts) -> Iterator[str]:
    group = facts.one("AWS::AutoScaling::AutoScalingGroup")
    sizes = [group.properties[name] for name in ("MinSize", "DesiredCapacity", "MaxSize")]
    template = facts.one("AWS::EC2::LaunchTemplate").properties["LaunchTemplateData"]
    yield rectangle(_GROUP, "page")
    yield from frame(
        _GROUP, group, "Auto Scaling group: {} to {} instances, {} to begin with".format(*sizes[::2], sizes[1])
    )
    (hook,) = (each["LifecycleHookName"] for each in group.properties["LifecycleHookSpecificationList"])
    rollout = facts.parameter("Rollout").replace("-", " ")
    told = f"a new image comes in by {rollout}; an instance joins once it has completed its launch hook “{hook}” itself"
    yield text((_GROUP.x + 14, _GROUP.y + 44), told, "small")
    port = facts.one("AWS::ElasticLoadBalancingV2::TargetGroup").properties["Port"]
    (source,) = {source for _, entry, source in facts.entries() if entry == port}
    yield arrow([_BALANCER.bottom, _GROUP.top])
    yield text((_GROUP.top[0] + 12, _GROUP.y - 28), f"HTTP {port}, admitted from {source} only", "label")
    processes = (
        (f"gateway · HTTP {port}", "intent-gateway.service"),
        ("model server · gRPC 8500, REST 8501", "intent-model-server.service"),
    )
    count = len(facts.zones())
    for place in range(count):
        zone = _zone(place, count)
        left = max(zone.x + 24, _GROUP.x + 14)
        right = min(zone.x + zone.width - 24, _GROUP.x + _GROUP.width - 14)
        box = Box(left, _GROUP.y + 60, right - left, 220)
        yield rectangle(box, "plain")
        yield text((box.x + 14, box.y + 22), f"instance, {template['InstanceType']}", "title")
        gateway, model = (Box(box.x + 14, box.y + y, box.width - 28, 58) for y in (38, 146))
        for process, (title, unit) in zip((gateway, model), processes, strict=True):
            yield rectangle(process, "process")
            yield text((process.x + 12, process.y + 24), title, "title")
            told = f"{unit}, at most {facts.units[unit]['MemoryMax'].replace('M', ' MiB')}"
            yield text((process.x + 12, process.y + 45), told, "small")
        yield arrow([gateway.bottom, model.top])
        yield text((gateway.bottom[0] + 12, (gateway.bottom[1] + model.top[1]) / 2 + 5), "gRPC Predict", "label")


def _watch(facts: Facts) -> Iterator[str]:
    """Scaling, alarms, logs."""
    dashboard = facts.one("AWS::CloudWatch::Dashboard")
    yield from frame(_WATCH, dashboard, "CloudWatch")
    policy = facts.one("AWS::AutoScaling::ScalingPolicy").properties["TargetTrackingConfiguration"]
    stops = facts.output("RolloutAlarmNames").split(",")
    alarms = facts.all("AWS::CloudWatch::Alarm")
    stopping = [each for each in alarms if f"${{{each.name}}}" in stops]
    others = [each for each in alarms if each not in stopping]
    rows = [
        (f"{len(stopping)} alarms stop a rollout", _names(stopping)),
        (f"{len(others)} ask for a look", _names(others)),
        ("scaling aims at", f"{int(policy['TargetValue']):,} requests a minute and instance"),
        ("logs", ", ".join(each.properties["LogGroupName"] for each in facts.all("AWS::Logs::LogGroup"))),
        ("dashboard", f"{dashboard.properties['DashboardName']}"),
    ]
    y = _WATCH.y + 50
    for name, content in rows:
        yield text((_WATCH.x + 14, y), name, "small")
        wrapped = wrap(content, 84)
        yield lines((_WATCH.x + 190, y), wrapped, "small", height=18)
        y += 18 * len(wrapped) + 6
    start = (_GROUP.x + _GROUP.width / 2, _GROUP.y + _GROUP.height)
    yield arrow([start, (start[0], _WATCH.y)])
    yield text((start[0] + 12, _WATCH.y - 12), "metrics and logs", "label")


def _names(alarms: list[Found]) -> str:
    return ", ".join(each.properties["AlarmName"].removeprefix(f"{DEPLOYMENT}-") for each in alarms)


def _legend(facts: Facts) -> Iterator[str]:
    yield text((_LEGEND.x, _LEGEND.y + 18), "Each colour is a stack, in the order of deployment", "small")
    for place, stack in enumerate(facts.stacks):
        y = _LEGEND.y + 32 + 23 * place
        yield rectangle(Box(_LEGEND.x, y, 26, 15), stack, 3)
        yield text((_LEGEND.x + 38, y + 12), f"{DEPLOYMENT}-{stack}", stack)
