"""A change set: what CloudFormation would do to a stack, made, shown, and then executed or thrown away."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from cloudformation.errors import FleetError, StillRunningError
from cloudformation.operate.aws import error_code
from cloudformation.operate.stacks import Stack
from cloudformation.operate.terminal import Colour, Terminal

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

POLL_SECONDS = 1.0
"""Between two looks; a change set takes 5 to 30 s."""
PATIENCE_SECONDS = 600.0
"""No change set of some forty resources takes this long; CloudFormation gives up on its own earlier."""

_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_COLOURS = {"Add": Colour.GOOD, "Modify": Colour.CAREFUL, "Remove": Colour.BAD}


@dataclass(frozen=True)
class Request:
    """What a stack shall become, in the words of CreateChangeSet."""

    template: dict[str, Any]
    """TemplateBody, TemplateURL or UsePreviousTemplate."""
    parameters: list[dict[str, Any]]
    options: dict[str, Any]
    """Tags, RoleARN, RollbackConfiguration, as far as given."""


@dataclass(frozen=True)
class Change:
    """What would happen to one resource."""

    action: str
    logical_id: str
    type: str
    replacement: str
    """`yes`, `no`, `perhaps`; empty where the question does not arise."""
    details: str
    """The properties that change, with their values where CloudFormation tells them."""

    @property
    def colour(self) -> Colour:
        """Red for what takes something away, be it to replace it."""
        return Colour.BAD if self.replacement == "yes" else _COLOURS.get(self.action, Colour.PLAIN)


class ChangeSet:
    """A change set that can be executed. It stays on AWS until `execute` or `discard`."""

    def __init__(self, client: "CloudFormationClient", id_: str, stack_id: str, has_made_stack: bool) -> None:
        self._client = client
        self._id = id_
        self._has_made_stack = has_made_stack
        self.stack_id = stack_id
        self.changes: tuple[Change, ...] = ()

    def load(self) -> bool:
        """Waits until CloudFormation has worked it out. False if it would change nothing.

        Raises:
            FleetError: CloudFormation refuses the request; says why.
            StillRunningError: it is not worked out within PATIENCE_SECONDS.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := self._describe())["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
            if time.monotonic() > deadline:
                raise StillRunningError(f"CloudFormation does not finish the change set {self._id}; look at it there")
            time.sleep(POLL_SECONDS)
        if answer["Status"] != "CREATE_COMPLETE":
            reason = " ".join(answer.get("StatusReason", "no reason given").split())
            if any(words in reason for words in _NO_CHANGES):
                return False
            raise FleetError(f"CloudFormation refuses the change: {reason}")
        self.changes = tuple(
            _change(each["ResourceChange"]) for each in self._pages(answer) if "ResourceChange" in each
        )
        return True

    def show(self, terminal: Terminal) -> None:
        """As a table; removals and replacements in red."""
        if not self.changes:
            terminal.say("  no resource changes, only outputs, tags or the template's text")
            return
        terminal.table(
            ("action", "resource", "type", "replaced", "changes"),
            [((c.action, c.logical_id, c.type, c.replacement, c.details), c.colour) for c in self.changes],
        )

    def execute(self) -> None:
        """Begins the operation."""
        # What a failed operation has made goes again, also what is retained otherwise: the next try wants its name.
        self._client.execute_change_set(
            ChangeSetName=self._id, StackName=self.stack_id, RetainExceptOnCreate=True, ClientRequestToken=str(uuid4())
        )

    def discard(self) -> None:
        """Leaves AWS as it was before: the change set goes, and so does a stack that was only made to hold it."""
        if self._has_made_stack:
            # With its change set: a stack whose change set was deleted before can refuse to go.
            self._client.delete_stack(StackName=self.stack_id)
        else:
            self._client.delete_change_set(ChangeSetName=self._id, StackName=self.stack_id)

    def _describe(self) -> Any:
        try:
            return self._client.describe_change_set(
                ChangeSetName=self._id, StackName=self.stack_id, IncludePropertyValues=True
            )
        except ClientError as error:
            if error_code(error) == "ChangeSetNotFound":
                # Made a moment ago, and not yet known everywhere.
                return {"Status": "CREATE_PENDING"}
            raise

    def _pages(self, answer: Any) -> Iterator[Any]:
        yield from answer.get("Changes", ())
        while token := answer.get("NextToken"):
            answer = self._client.describe_change_set(
                ChangeSetName=self._id, StackName=self.stack_id, IncludePropertyValues=True, NextToken=token
            )
            yield from answer.get("Changes", ())


def make(client: "CloudFormationClient", name: str, stack: Stack | None, request: Request) -> ChangeSet:
    """Asks CloudFormation for the change set that turns `stack` (None or empty: a new one) into what is requested."""
    answer = client.create_change_set(
        StackName=name,
        ChangeSetName=f"change-{datetime.now(UTC):%Y%m%d-%H%M%S}",
        ChangeSetType="CREATE" if stack is None or stack.is_empty else "UPDATE",
        # A retry after a lost answer must not ask for a second one.
        ClientToken=str(uuid4()),
        # The templates are this repository's own, and two of them make roles.
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=request.parameters,  # type: ignore[arg-type]
        **request.template,
        **request.options,
    )
    return ChangeSet(client, answer["Id"], answer["StackId"], has_made_stack=stack is None)


def _change(answer: Any) -> Change:
    action = answer.get("Action", "")
    if answer.get("PolicyAction") == "Retain":
        action += ", kept"
    replacement = {"True": "yes", "False": "no", "Conditional": "perhaps"}.get(answer.get("Replacement", ""), "")
    # One property is listed once per cause of its change.
    details = dict.fromkeys(_detail(each.get("Target", {})) for each in answer.get("Details", ()))
    return Change(action, answer["LogicalResourceId"], answer["ResourceType"], replacement, ", ".join(details))


def _detail(target: Any) -> str:
    name = str(target.get("Name") or target.get("Attribute", ""))
    before, after = target.get("BeforeValue", ""), target.get("AfterValue", "")
    # Longer ones (policies, user data) would drown the table; the console shows them.
    is_short = before and after and len(before) + len(after) <= 60
    return f"{name} {before} → {after}" if is_short else name
