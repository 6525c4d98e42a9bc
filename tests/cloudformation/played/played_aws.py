"""An AWS account behind a real socket: moto's server on loopback, completed, and with operations that last or fail.

Moto executes a change set at once, forgets its outputs, its parameters and the names behind SSM values, and overlooks
changes that come through Fn::Sub or another resource; it has no termination protection, no drift and no instance
refreshes. These are added here, each as small as the command needs it.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
import yaml
from moto.autoscaling.responses import AutoScalingResponse
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Change, ChangeSet, CloudFormationBackend, Event, Stack
from moto.cloudformation.parsing import ResourceMap, resource_class_from_type
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import yaml_tag_constructor
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ec2.models.route_tables import RouteTable
from moto.moto_api._internal import moto_api_backend
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.moto_server.werkzeug_app import MotoRequestHandler
from moto.ssm.models import Parameter, ssm_backends

from cloudformation.template.files import TEMPLATES, load
from tests.cloudformation.played import moto_additions as moto_additions
from tests.cloudformation.played import moto_models as moto_models

REGION = "us-east-1"
"""The only region whose zones moto's Fn::GetAZs knows."""
ACCOUNT = "123456789012"
"""Moto's own."""


@dataclass
class Step:
    """An event that the next look at the stack's events finds."""

    logical_id: str
    status: str
    reason: str = ""
    type: str = "AWS::AutoScaling::AutoScalingGroup"


@dataclass
class PlayedAws:
    """What tests say of the account and ask of it."""

    address: str
    plays: dict[str, list[Step]] = field(default_factory=dict)
    """By stack: what happens at its next operation, in place of its execution. The last step is the stack's own."""
    refusals: dict[str, list[ServiceException | None]] = field(default_factory=dict)
    """By action of CloudFormation: what the next calls are answered with; None: as usual."""
    refreshes: list[dict[str, Any]] = field(default_factory=list)
    """The group's instance refreshes, newest first."""
    drifts: list[dict[str, Any]] = field(default_factory=list)
    """Of whatever stack is asked for."""
    drift_statuses: list[str] = field(default_factory=lambda: ["DETECTION_IN_PROGRESS", "DETECTION_COMPLETE"])
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What CloudFormation was asked, with the parameters."""
    cuts: int = 0
    """So many of the next requests meet a connection that closes without an answer."""
    now: dict[str, list[Step]] = field(default_factory=dict)
    """By stack: what is still to happen."""

    def client(self, service: str) -> Any:
        return boto3.client(
            service, REGION, endpoint_url=self.address, aws_access_key_id="testing", aws_secret_access_key="testing"
        )

    def stack(self, name: str) -> Any:
        """As DescribeStacks tells it; None if it is not there."""
        found = [
            each for each in self.client("cloudformation").describe_stacks()["Stacks"] if each["StackName"] == name
        ]
        return found[0] if found else None

    def parameters(self, name: str) -> dict[str, str]:
        return {each["ParameterKey"]: each["ParameterValue"] for each in self.stack(name)["Parameters"]}

    def outputs(self, name: str) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.stack(name)["Outputs"]}

    def asked(self, action: str) -> list[dict[str, Any]]:
        """The parameters of every such call, in order."""
        return [parameters for name, parameters in self.calls if name == action]


def _complete_change_sets(patch: pytest.MonkeyPatch) -> None:
    def apply(self: ChangeSet) -> None:
        stack = self.stack
        stack.template_dict = self.template_dict
        stack.resource_map.update(self.template_dict, self.parameters)
        stack.output_map = stack._create_output_map()
        stack.parameters = self.parameters
        stack.tags = self.tags or stack.tags
        stack.role_arn = self.role_arn or stack.role_arn

    def diff(self: ChangeSet) -> list[Any]:
        found = self.stack.resource_map.build_resource_diff(self.template_dict, self.parameters)
        types = {
            name: body["Type"]
            for template in (self.stack.template_dict, self.template_dict)
            for name, body in template.get("Resources", {}).items()
        }
        return [Change(action, name, types[name]) for action, names in found.items() for name in names]

    # A parameter of an SSM type is remembered by its name, not by the value behind it; a list as it was given.
    def raw(self: Stack) -> dict[str, Any]:
        declared = self.template_dict.get("Parameters", {})
        defaults = {name: str(body["Default"]) for name, body in declared.items() if "Default" in body}
        return {**defaults, **self.resource_map.input_parameters}

    patch.setattr(ResourceMap, "build_resource_diff", _difference)
    patch.setattr(ChangeSet, "apply", apply)
    patch.setattr(ChangeSet, "diff", diff)
    patch.setattr(Stack, "stack_parameters", property(raw))
    patch.setattr(
        Stack,
        "parameter_list",
        property(lambda self: [{"ParameterKey": name, "ParameterValue": value} for name, value in raw(self).items()]),
    )
    patch.setattr(Stack, "has_parameters", lambda self, other: raw(self) == {**raw(self), **other})
    # AWS answers this by a change set that failed, not at once.
    patch.setattr(CloudFormationResponse, "_validate_different_update", lambda *_: None)
    # Moto's own way to delete one does nothing.
    patch.setattr(RouteTable, "delete", _delete_route_table, raising=False)
    # image.yaml keeps its parameters (UpdateReplacePolicy, DeletionPolicy).
    patch.setattr(Parameter, "delete_from_cloudformation_json", classmethod(lambda *_, **__: None))


def _difference(
    self: ResourceMap, template: dict[str, Any], parameters: dict[str, Any] | None = None
) -> dict[str, list[str]]:
    """What moto's own method returns, with every change that a parameter's new value may bring about."""
    old, new = self._resource_json_map, template["Resources"]
    changed = {name for name, value in (parameters or {}).items() if self.input_parameters.get(name) != value}
    parts = {**template.get("Conditions", {}), **{name: body for name, body in new.items() if name in old}}
    modified = {name for name in new if name in old and new[name] != old[name]}
    while grown := {
        name for name, body in parts.items() if name not in modified and _names(body) & (changed | modified)
    }:
        modified |= grown
    # What a condition has kept out until now is made, if the condition allows it then; it cannot be modified.
    absent = {name for name in modified if name in new and self._parsed_resources.get(name) is None}
    # What moto cannot modify, it would forget.
    fixed = {name for name in modified if name in new and not _can_change(new[name]["Type"])}
    return {
        "Add": [name for name in new if name not in old or name in absent],
        "Modify": [name for name in new if name in modified - absent - fixed],
        "Remove": [name for name in old if name not in new],
    }


def _delete_route_table(table: RouteTable, account: str, region: str) -> None:
    ec2_backends[account][region].delete_route_table(table.id)


def _can_change(resource_type: str) -> bool:
    model = resource_class_from_type(resource_type)
    return not hasattr(model.update_from_cloudformation_json, "__isabstractmethod__")


def _names(body: Any) -> set[str]:
    """Everything in it that may be the name of a parameter, a condition or a resource."""
    return set(re.findall(r"\w+", json.dumps(body, default=str)))


def _add_operations(patch: pytest.MonkeyPatch, played: PlayedAws) -> None:
    execute, create = CloudFormationBackend.execute_change_set, CloudFormationBackend.create_change_set
    delete, events = CloudFormationBackend.delete_stack, CloudFormationResponse.describe_stack_events

    def execute_or_play(self: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = self.describe_change_set(change_set_name)
        assert change_set is not None
        _play(change_set.stack) if change_set.stack.name in played.plays else execute(self, change_set_name, stack_name)

    def create_once(self: CloudFormationBackend, **words: Any) -> tuple[str, str]:
        """A stack that waits for its first change set is not made a second time."""
        for waiting in [each for each in self.stacks.values() if each.name == words["stack_name"]]:
            if waiting.status == "REVIEW_IN_PROGRESS":
                del self.stacks[waiting.stack_id]
        return create(self, **words)

    def delete_or_play(self: CloudFormationBackend, name_or_stack_id: str) -> None:
        stack = self.get_stack(name_or_stack_id)
        if stack.enable_termination_protection:
            raise ValidationError(
                message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        _play(stack) if stack.name in played.plays else delete(self, name_or_stack_id)

    def _play(stack: Stack) -> None:
        played.now[stack.name] = list(played.plays.pop(stack.name))

    def events_or_next(self: CloudFormationResponse) -> ActionResult:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        if steps := played.now.get(stack.name):
            _take(stack, steps.pop(0))
        return events(self)

    patch.setattr(CloudFormationBackend, "execute_change_set", execute_or_play)
    patch.setattr(CloudFormationBackend, "create_change_set", create_once)
    patch.setattr(CloudFormationBackend, "delete_stack", delete_or_play)
    patch.setattr(CloudFormationResponse, "describe_stack_events", events_or_next)


def _take(stack: Stack, step: Step) -> None:
    is_own = step.logical_id == stack.name
    stack.events.append(
        Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=step.logical_id,
            physical_resource_id=stack.stack_id if is_own else step.logical_id.lower(),
            resource_type="AWS::CloudFormation::Stack" if is_own else step.type,
            resource_status=step.status,
            resource_status_reason=step.reason or None,
            resource_properties=None,
        )
    )
    if is_own:
        stack.status = step.status


def _add_actions(patch: pytest.MonkeyPatch, played: PlayedAws) -> None:
    def protect(self: CloudFormationResponse) -> ActionResult:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        stack.enable_termination_protection = self._get_bool_param("EnableTerminationProtection")
        return ActionResult({"StackId": stack.stack_id})

    def drift_status(self: CloudFormationResponse) -> ActionResult:
        status = played.drift_statuses[0] if len(played.drift_statuses) == 1 else played.drift_statuses.pop(0)
        return ActionResult(
            {
                "StackId": "stack",
                "StackDriftDetectionId": "1",
                "DetectionStatus": status,
                "DetectionStatusReason": "no rights",
                "Timestamp": "2026-08-01T00:00:00Z",
            }
        )

    def drifts(self: CloudFormationResponse) -> ActionResult:
        # One a page, so that the pages count.
        place = int(self._get_param("NextToken") or 0)
        more = {"NextToken": str(place + 1)} if place + 1 < len(played.drifts) else {}
        return ActionResult({"StackResourceDrifts": played.drifts[place : place + 1], **more})

    added = {
        "update_termination_protection": protect,
        "detect_stack_drift": lambda self: ActionResult({"StackDriftDetectionId": "1"}),
        "describe_stack_drift_detection_status": drift_status,
        "describe_stack_resource_drifts": drifts,
    }
    for name, action in added.items():
        patch.setattr(CloudFormationResponse, name, action, raising=False)
    patch.setattr(
        AutoScalingResponse,
        "describe_instance_refreshes",
        lambda self: ActionResult({"InstanceRefreshes": played.refreshes}),
        raising=False,
    )


def _listen(patch: pytest.MonkeyPatch, played: PlayedAws) -> None:
    call = CloudFormationResponse.call_action

    def call_or_refuse(self: CloudFormationResponse) -> Any:
        action = self._get_action()
        played.calls.append((action, dict(self._get_params())))
        refusals = played.refusals.get(action)
        if refusals and (refusal := refusals.pop(0)):
            status, headers, body = self.serialized(ActionResult(refusal))
            return status, {**headers, "status": status}, body
        return call(self)

    patch.setattr(CloudFormationResponse, "call_action", call_or_refuse)


def _put_parent_image() -> None:
    """Canonical's public parameter, which nobody else may put."""
    name = load(TEMPLATES["image"])["Parameters"]["BaseImage"]["Default"]
    parameter = Parameter(
        ACCOUNT, name, "ami-0123456789abcdef0", "String", None, None, None, datetime.now(UTC), 1, "aws:ec2:image"
    )
    ssm_backends[ACCOUNT][REGION]._parameters[name].append(parameter)


_answer = MotoRequestHandler.run_wsgi


def _answer_or_cut(handler: MotoRequestHandler, played: PlayedAws) -> None:
    if played.cuts:
        played.cuts -= 1
        handler.close_connection = True
    else:
        _answer(handler)


@contextmanager
def played_aws() -> Iterator[PlayedAws]:
    """An account that is gone afterwards."""
    moto_api_backend.reset()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    played = PlayedAws(f"http://localhost:{port}")
    _put_parent_image()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MotoRequestHandler, "log", lambda *_: None)
        patch.setattr(MotoRequestHandler, "run_wsgi", lambda self: _answer_or_cut(self, played))
        # Moto parses each template many times, in Python.
        yaml.CLoader.add_multi_constructor("", yaml_tag_constructor)
        patch.setattr(yaml, "Loader", yaml.CLoader)
        _complete_change_sets(patch)
        _add_operations(patch, played)
        _add_actions(patch, played)
        _listen(patch, played)
        try:
            yield played
        finally:
            server.stop()
