"""A deployment: its stacks in their order, each given what those before it put out."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudformation.errors import DeclinedError, RefusedError, UsageError
from cloudformation.operate import preflight, stacks
from cloudformation.operate.aws import Aws
from cloudformation.operate.bucket import Bucket
from cloudformation.operate.change_set import Request
from cloudformation.operate.changer import Changer
from cloudformation.operate.images import Image, Images
from cloudformation.operate.release import Release
from cloudformation.operate.stacks import Stack
from cloudformation.operate.terminal import Colour, Terminal
from cloudformation.template import inputs
from cloudformation.template.files import KINDS, TEMPLATES, load

_LONGEST_BODY = 51_200
"""Bytes of a template that CreateChangeSet takes in the request itself; longer ones it reads from a bucket."""


@dataclass(frozen=True)
class Wishes:
    """What the operator wants of the stacks."""

    given: Mapping[str, str]
    """Parameters."""
    tags: Mapping[str, str]
    """Of the stacks, from where CloudFormation gives them to every resource; empty: as they are."""
    ignores_alarms: bool
    """A rollout goes on although an alarm rings."""


class Deployment:
    """The stacks called `<name>-<kind>`."""

    def __init__(self, aws: Aws, terminal: Terminal, changer: Changer, name: str, wishes: Wishes) -> None:
        self._aws = aws
        self._terminal = terminal
        self._changer = changer
        self._name = name
        self._wishes = wishes
        self._stacks = {kind: stacks.find(aws.cloudformation, stacks.stack_name(name, kind)) for kind in KINDS}
        self.images = Images(aws.ssm, name)

    def require_ready(self, *, is_new_allowed: bool, checks_drift: bool) -> None:
        """
        Raises:
            RefusedError: an operation must not begin now; says why and what to do.
            UsageError: the parameters are refused.
        """
        preflight.require_updatable(self._name, self._stacks, is_new_allowed=is_new_allowed)
        inputs.preview(self._name, self._wishes.given, {kind: self._last(kind) for kind in KINDS})
        network = self._whole("network")
        if network and inputs.NETWORK[0] in self._wishes.given:
            raise UsageError(
                f"{network.name} is this deployment's network, and a load balancer cannot move to another VPC; deploy "
                "a second one with another --name"
            )
        balancer, service = self._whole("balancer"), self._whole("service")
        if balancer and service:
            preflight.require_settled(self._aws, balancer, service, ignores_alarms=self._wishes.ignores_alarms)
        if checks_drift:
            preflight.require_no_drift(self._aws, self._stacks)

    def deploy(self, release: Release | Image) -> None:
        """Brings every stack to what its template and the parameters say, and the service to this release.

        Raises:
            DeclinedError: the changes were only shown, or somebody said no.
            RefusedError: the group is full, and the release comes by instance refresh.
        """
        artifacts = self._change("artifacts", {})
        network = self._network()
        balancer = self._change("balancer", network) if network else None
        if not (artifacts and network and balancer):
            raise DeclinedError("nothing was changed; the stacks after these are shown when these exist")
        image = release.parameter if isinstance(release, Image) else self._image(release, artifacts, network)
        if image is None:
            raise DeclinedError("nothing was changed; the stacks after the image are shown when it exists")
        outputs = {**network, **balancer.outputs, "ImageParameter": image}
        alarms = {"RolloutAlarms": "no" if self._wishes.ignores_alarms else "yes"}
        standing = self._whole("service")
        if standing and standing.parameters["ImageParameter"] != image:
            preflight.require_room(self._aws, standing, {**standing.parameters, **self._wishes.given})
        service = self._change("service", {**outputs, **alarms}, self._triggers())
        if service and not self._changer.shows_only:
            self._note(release.release if isinstance(release, Image) else release.name, balancer)
        if service:
            # It shows the service's own numbers beside what it measures.
            self._change("observability", {**service.parameters, **outputs, **service.outputs})
        if self._changer.has_pending_changes:
            raise DeclinedError("nothing was changed")

    def running(self) -> Image:
        """The image that the service runs.

        Raises:
            RefusedError: there is no service, or it runs an image that this command did not make.
        """
        service = self._whole("service")
        if image := self.images.running(service.parameters["ImageParameter"] if service else ""):
            return image
        raise RefusedError(f"{self._name} runs no release that `status` lists; name one with --release")

    def roll_back(self, image: Image) -> None:
        """Gives the service this image and changes nothing else, neither template nor parameters.

        No alarm may stop it: those of the release that it replaces are ringing, most likely.

        Raises:
            DeclinedError: the changes were only shown, or somebody said no.
        """
        service = self._whole("service")
        fixed = {"ImageParameter": image.parameter, "RolloutAlarms": "no"}
        last = set(service.parameters if service else ()) - set(fixed)
        parameters: list[dict[str, Any]] = [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(last)]
        parameters += [{"ParameterKey": name, "ParameterValue": value} for name, value in fixed.items()]
        no_triggers = {"RollbackConfiguration": {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0}}
        name = stacks.stack_name(self._name, "service")
        self._changer.change(name, Request({"UsePreviousTemplate": True}, parameters, no_triggers))
        if self._changer.has_pending_changes:
            raise DeclinedError("nothing was changed")
        self._note(image.release, self._whole("balancer"))

    def _whole(self, kind: str) -> Stack | None:
        stack = self._stacks[kind]
        return stack if stack and stack.is_whole else None

    def _last(self, kind: str) -> Mapping[str, str]:
        """The parameters that the stack has now."""
        stack = self._whole(kind)
        return stack.parameters if stack else {}

    def _network(self) -> Mapping[str, str] | None:
        """The four values, of the network's stack or of a VPC that was brought; None if they are not known yet.

        Raises:
            UsageError: a VPC was brought, and some of the values are not on record yet.
        """
        given, own, balancer, service = self._wishes.given, *map(self._whole, ("network", "balancer", "service"))
        if inputs.NETWORK[0] in given:
            return {name: given[name] for name in inputs.NETWORK}
        if balancer and not own:
            last = {**balancer.parameters, **(service.parameters if service else {})}
            if missing := [name for name in inputs.NETWORK if name not in last]:
                raise UsageError(f"{self._name} is in a VPC of your own; give {', '.join(missing)} again")
            return {name: last[name] for name in inputs.NETWORK}
        stack = self._change("network", {})
        return {name: stack.outputs[name] for name in inputs.NETWORK} if stack else None

    def _image(self, release: Release, artifacts: Stack, network: Mapping[str, str]) -> str | None:
        """The SSM parameter of the release's image, which is built if it never was; None if that was only shown."""
        if image := self.images.find(release.name):
            self._terminal.say(f"release {release.name}: its image is there, {image.id}")
            return image.parameter
        bucket = Bucket(self._aws.s3, artifacts.outputs["BucketName"])
        with tempfile.TemporaryDirectory() as folder:
            archive = release.pack(Path(folder))
            if not self._changer.shows_only:
                bucket.put_release(release.key, archive, self._terminal)
        # The builder is one machine, so it needs one subnet; another one that was given stays.
        subnet = {} if self._whole("image") else {"SubnetId": network["InstanceSubnetIds"].split(",")[0]}
        fixed = {
            **network,
            **subnet,
            **self._wishes.given,
            "ArtifactBucket": bucket.name,
            "ArtifactKey": release.key,
            "ArtifactSha256": archive.sha256,
            "ReleaseName": release.name,
        }
        stack = self._change("image", fixed)
        return stack.outputs["ImageParameter"] if stack and not self._changer.shows_only else None

    def _note(self, release: str, balancer: Stack | None) -> None:
        """What follows from a service that has become what was wanted."""
        self.images.record(release)
        if balancer is None:
            return
        # One switch with the load balancer's own deletion protection.
        is_protected = balancer.parameters["DeletionProtection"] == "true"
        for kind in ("balancer", "service"):
            stack = stacks.find(self._aws.cloudformation, stacks.stack_name(self._name, kind))
            if stack and stack.is_protected != is_protected:
                self._aws.cloudformation.update_termination_protection(
                    StackName=stack.name, EnableTerminationProtection=is_protected
                )
        self._terminal.say(f"{self._name} serves release {release} at {balancer.outputs['Url']}", Colour.GOOD)

    def _triggers(self) -> dict[str, Any]:
        """The alarms that roll an update of the service back. Before its first instance serves, they can only ring."""
        balancer, service = self._whole("balancer"), self._whole("service")
        if not (balancer and service) or self._wishes.ignores_alarms:
            return {"RollbackConfiguration": {"RollbackTriggers": [], "MonitoringTimeInMinutes": 0}}
        values = {**service.parameters, **self._wishes.given}
        # An instance refresh bakes by itself, as a part of the update.
        minutes = int(values["BakeMinutes"]) if values["Rollout"] == "rolling-update" else 0
        arns = balancer.outputs["RollbackAlarmArns"].split(",")
        triggers = [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"} for arn in arns]
        return {"RollbackConfiguration": {"RollbackTriggers": triggers, "MonitoringTimeInMinutes": minutes}}

    def _change(self, kind: str, fixed: Mapping[str, str], options: Mapping[str, Any] | None = None) -> Stack | None:
        request = self._request(kind, fixed, options or {})
        stack = self._changer.change(stacks.stack_name(self._name, kind), request)
        self._stacks[kind] = stack
        return stack

    def _request(self, kind: str, fixed: Mapping[str, str], options: Mapping[str, Any]) -> Request:
        path = TEMPLATES[kind]
        named = {**fixed, "DeploymentName": self._name}
        parameters = inputs.of_stack(load(path), self._last(kind), named, self._wishes.given)
        tags = [{"Key": name, "Value": value} for name, value in self._wishes.tags.items()]
        return Request(self._body(path.read_text()), parameters, {**options, **({"Tags": tags} if tags else {})})

    def _body(self, body: str) -> dict[str, str]:
        artifacts = self._whole("artifacts")
        if artifacts is None or len(body.encode()) <= _LONGEST_BODY:
            return {"TemplateBody": body}
        return {"TemplateURL": Bucket(self._aws.s3, artifacts.outputs["BucketName"]).put_template(body)}
