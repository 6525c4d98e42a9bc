"""The end of a deployment: its stacks in reverse order, and what stays behind on purpose."""

from collections.abc import Iterator

from cloudformation.errors import DeclinedError, RefusedError
from cloudformation.operate import stacks
from cloudformation.operate.aws import Aws
from cloudformation.operate.changer import Changer
from cloudformation.operate.images import Images
from cloudformation.operate.stacks import Stack
from cloudformation.operate.terminal import Colour, Terminal
from cloudformation.template.files import KINDS, parse


def destroy(aws: Aws, terminal: Terminal, changer: Changer, name: str, *, is_agreed: bool) -> None:
    """Deletes every stack of the deployment, after its name was typed.

    Raises:
        DeclinedError: the name was not typed.
        RefusedError: an operation is under way, or deletion protection is on.
    """
    names = [stacks.stack_name(name, kind) for kind in reversed(KINDS)]
    found = [stack for each in names if (stack := stacks.find(aws.cloudformation, each))]
    if not found:
        terminal.say(f"{name} has no stack in {aws.region}; nothing to do")
        return
    for stack in found:
        stack.require_idle()
        _require_unprotected(stack, name)
    kept = [line for stack in found for line in _kept(aws, stack)]
    images = Images(aws.ssm, name)
    kept += [f"image {image.id} of release {image.release}, in {image.parameter}" for image in images.all()]
    terminal.say(
        f"{name} in {aws.region} (account {aws.account}): these stacks will be deleted, in this order", Colour.HEAD
    )
    for stack in found:
        terminal.say(f"  {stack.name} ({stack.status})", Colour.BAD)
    if not is_agreed and terminal.ask(f"Clients will get no answer any more. Type {name} to delete it:") != name:
        raise DeclinedError("nothing was deleted")
    for stack in found:
        terminal.say(f"{stack.name}: deletion", Colour.HEAD)
        changer.delete(stack)
    images.forget()
    terminal.say(f"{name} is gone.", Colour.GOOD)
    if kept:
        terminal.say("Kept, and paid for until somebody deletes it:", Colour.CAREFUL)
        for line in kept:
            terminal.say(f"  {line}")


def _require_unprotected(stack: Stack, name: str) -> None:
    if stack.is_protected or stack.parameters.get("DeletionProtection") == "true":
        raise RefusedError(
            f"{stack.name} is protected against deletion. To switch that off: "
            f"python -m cloudformation update --name {name} --keep-release -p DeletionProtection=false"
        )


def _kept(aws: Aws, stack: Stack) -> Iterator[str]:
    """What the stack's own template says must outlive it."""
    if stack.is_empty:
        return
    template = parse(str(aws.cloudformation.get_template(StackName=stack.id)["TemplateBody"]))
    policies = {id_: body.get("DeletionPolicy", "Delete") for id_, body in template["Resources"].items()}
    for page in aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack.id):
        for each in page["StackResourceSummaries"]:
            if policies.get(each["LogicalResourceId"], "Delete") != "Delete" and each.get("PhysicalResourceId"):
                yield f"{each['PhysicalResourceId']} ({each['ResourceType']})"
