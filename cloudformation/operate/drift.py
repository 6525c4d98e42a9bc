"""Drift: what of a stack was changed by somebody else than CloudFormation, which an update would meet or undo."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudformation.errors import FleetError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackResourceDriftTypeDef

POLL_SECONDS = 2.0
"""Between two looks at a detection, which takes a minute or two."""

_SCALING = "/DesiredCapacity"
"""Changed by the scaling policies, which is their purpose; no drift here."""


@dataclass(frozen=True)
class Drift:
    """One resource that is not as its template says."""

    stack: str
    logical_id: str
    what: str
    """The properties with what was expected and what is; or that it is gone."""


def detect(client: "CloudFormationClient", stack_name: str) -> list[Drift]:
    """Has CloudFormation compare the stack with what there is.

    Raises:
        FleetError: the comparison failed.
    """
    detection = client.detect_stack_drift(StackName=stack_name)["StackDriftDetectionId"]
    while True:
        answer = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if answer["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        time.sleep(POLL_SECONDS)
    if answer["DetectionStatus"] == "DETECTION_FAILED":
        reason = answer.get("DetectionStatusReason", "no reason given")
        raise FleetError(
            f"the drift of {stack_name} cannot be told: {reason}; leave --check-drift out to go on without"
        )
    return [drift for each in _drifted(client, stack_name) if (drift := _drift(stack_name, each))]


def _drifted(client: "CloudFormationClient", stack_name: str) -> Iterator["StackResourceDriftTypeDef"]:
    token: dict[str, str] = {}
    while True:
        answer = client.describe_stack_resource_drifts(
            StackName=stack_name,
            StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
            **token,  # type: ignore[arg-type]
        )
        yield from answer["StackResourceDrifts"]
        if "NextToken" not in answer:
            return
        token = {"NextToken": answer["NextToken"]}


def _drift(stack_name: str, answer: "StackResourceDriftTypeDef") -> Drift | None:
    if answer["StackResourceDriftStatus"] == "DELETED":
        return Drift(stack_name, answer["LogicalResourceId"], "is gone")
    differences = [
        f"{each['PropertyPath']}: {each['ExpectedValue']} expected, {each['ActualValue']} found"
        for each in answer.get("PropertyDifferences", ())
        if each["PropertyPath"] != _SCALING
    ]
    return Drift(stack_name, answer["LogicalResourceId"], "; ".join(differences)) if differences else None
