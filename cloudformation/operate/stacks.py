"""The stacks of a deployment: what CloudFormation says of them, and whether an operation may begin."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cloudformation.errors import RefusedError
from cloudformation.operate.aws import error_message

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_FIRST_CREATE_FAILED = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
_GONE = ("DELETE_COMPLETE",)

_ADVICE = {
    "DELETE_FAILED": "some of it could not be deleted; `status` says what; then run `destroy` again",
    "UPDATE_FAILED": "an update stopped half-way, because somebody switched the way back off; go back with "
    "`aws cloudformation rollback-stack --stack-name {name}`",
    "UPDATE_ROLLBACK_FAILED": "an update failed, and so did the way back; `status` says on which resource; repair "
    "that, then `aws cloudformation continue-update-rollback --stack-name {name}`",
    "IMPORT_ROLLBACK_FAILED": "an import failed, and so did the way back; repair it in the CloudFormation console",
}


@dataclass(frozen=True)
class Stack:
    """One stack as CloudFormation describes it."""

    name: str
    id: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    """As given: of an SSM type, the parameter's name."""
    outputs: Mapping[str, str]
    changed: datetime
    is_protected: bool
    """Termination protection."""

    @property
    def is_empty(self) -> bool:
        """Only a change set was ever made: nothing runs, and nothing costs."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def has_failed_first(self) -> bool:
        """It was never whole; CloudFormation lets nothing but its deletion happen to it."""
        return self.status in _FIRST_CREATE_FAILED

    @property
    def is_whole(self) -> bool:
        """It exists, and rests in a state from which it can be updated."""
        return not (self.is_empty or self.has_failed_first or self.status in _ADVICE or self.is_busy)

    @property
    def is_busy(self) -> bool:
        """An operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and not self.is_empty

    def require_updatable(self) -> None:
        """
        Raises:
            RefusedError: an operation is under way or has failed for good; says what to do.
        """
        self.require_idle()
        if self.status in _ADVICE:
            raise RefusedError(f"{self.name} is in {self.status}: {_ADVICE[self.status].format(name=self.name)}")

    def require_idle(self) -> None:
        """
        Raises:
            RefusedError: an operation is under way.
        """
        if self.is_busy:
            raise RefusedError(
                f"{self.name} is in {self.status}: an operation is under way; wait until `status` shows its end. "
                f"An update can be stopped: `aws cloudformation cancel-update-stack --stack-name {self.name}`"
            )


def stack_name(deployment: str, kind: str) -> str:
    """The name of a deployment's stack, by its kind."""
    return f"{deployment}-{kind}"


def find(client: "CloudFormationClient", name_or_id: str) -> Stack | None:
    """The stack, or None if there is none. A deleted one is only found by its id, and counts as none."""
    try:
        (answer,) = client.describe_stacks(StackName=name_or_id)["Stacks"]
    except ClientError as error:
        if "does not exist" in error_message(error):
            return None
        raise
    return None if answer["StackStatus"] in _GONE else _stack(answer)


def _stack(answer: Any) -> Stack:
    return Stack(
        name=answer["StackName"],
        id=answer["StackId"],
        status=answer["StackStatus"],
        reason=answer.get("StackStatusReason", ""),
        parameters={each["ParameterKey"]: each["ParameterValue"] for each in answer.get("Parameters", ())},
        outputs={each["OutputKey"]: each["OutputValue"] for each in answer.get("Outputs", ())},
        changed=answer.get("LastUpdatedTime", answer["CreationTime"]),
        is_protected=answer.get("EnableTerminationProtection", False),
    )
