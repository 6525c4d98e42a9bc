"""How a deployment stands: its stacks, the release that runs, the fleet's health, and what is not as it should be."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from cloudformation.operate import drift, stacks
from cloudformation.operate.aws import Aws
from cloudformation.operate.drift import Drift
from cloudformation.operate.events import Event, Events, first_cause, last_operation
from cloudformation.operate.fleet import Alarm, Fleet, Group, Refresh, Target
from cloudformation.operate.images import Image, Images
from cloudformation.operate.stacks import Stack
from cloudformation.operate.terminal import Colour, Terminal
from cloudformation.template.files import KINDS

_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}


@dataclass(frozen=True)
class Status:
    """Everything that `status` tells."""

    name: str
    region: str
    account: str
    url: str
    release: str
    """The one that the service is told to run; empty: none, or unknown."""
    stacks: tuple[Stack, ...]
    causes: dict[str, str]
    """Of stacks that are not well: the first cause, by the stack's name."""
    releases: tuple[Image, ...]
    group: Group | None
    targets: tuple[Target, ...]
    alarms: tuple[Alarm, ...]
    refresh: Refresh | None
    drifts: tuple[Drift, ...]

    def problems(self) -> Iterator[str]:
        """What is not as it should be, in one line each; nothing: all is well."""
        if not any(stack.name == stacks.stack_name(self.name, "service") for stack in self.stacks):
            yield "the service is not deployed"
        for stack in self.stacks:
            if stack.status not in _GOOD:
                cause = self.causes.get(stack.name) or stack.reason
                yield f"{stack.name} is in {stack.status}" + (f": {cause}" if cause else "")
        healthy = sum(target.state == "healthy" for target in self.targets)
        if self.group and healthy < self.group.desired:
            yield f"{healthy} of {self.group.desired} wanted instances are healthy"
        yield from (f"alarm {alarm.name}: {alarm.reason}" for alarm in self.alarms if alarm.rings)
        if self.refresh and self.refresh.status in ("Failed", "RollbackFailed"):
            yield f"the last instance refresh ended in {self.refresh.status}: {self.refresh.reason}"
        yield from (f"drift of {each.stack}: {each.logical_id} {each.what}" for each in self.drifts)

    def as_json(self) -> str:
        """All of it, with `problems` and `is_well`, for programs."""
        problems = list(self.problems())
        return json.dumps({**asdict(self), "problems": problems, "is_well": not problems}, default=_json, indent=2)

    def show(self, terminal: Terminal) -> None:
        """All of it, for people."""
        terminal.say(f"{self.name} in {self.region} (account {self.account})", Colour.HEAD)
        terminal.say(f"  address: {self.url or 'none'}")
        terminal.say(f"  release: {self.release or 'none'}")
        if self.group:
            sizes = f"{self.group.minimum} to {self.group.maximum}"
            terminal.say(
                f"  instances: {self.group.desired} wanted, {len(self.group.instances)} there ({sizes} allowed)"
            )
        if self.refresh and self.refresh.is_under_way:
            done = f"{self.refresh.status}, {self.refresh.percent} % replaced"
            terminal.say(f"  instance refresh: {done} {self.refresh.reason}".rstrip(), Colour.CAREFUL)
        self._tables(terminal)
        problems = list(self.problems())
        terminal.say("not as it should be" if problems else "all is well", Colour.BAD if problems else Colour.GOOD)
        for problem in problems:
            terminal.say(f"  {problem}", Colour.BAD)

    def _tables(self, terminal: Terminal) -> None:
        if self.stacks:
            terminal.say()
            rows = [((s.name, s.status, _when(s.changed)), _of(s.status in _GOOD)) for s in self.stacks]
            terminal.table(("stack", "state", "since"), rows)
        if self.group and self.group.instances:
            terminal.say()
            health = {target.id: target for target in self.targets}
            terminal.table(
                ("instance", "zone", "life cycle", "load balancer", "reason"),
                [
                    ((i.id, i.zone, i.life_cycle, target.state, target.reason), _of(target.state == "healthy"))
                    for i in self.group.instances
                    for target in (health.get(i.id, Target(i.id, 0, "not registered", "")),)
                ],
            )
        if self.alarms:
            terminal.say()
            rows = [((a.name, a.state, _when(a.since)), _of(not a.rings)) for a in self.alarms]
            terminal.table(("alarm", "state", "since"), rows)
        if self.releases:
            terminal.say()
            terminal.table(
                ("release", "image", "made", ""),
                [
                    ((i.release, i.id, _when(i.made), "runs" if i.release == self.release else ""), Colour.PLAIN)
                    for i in self.releases
                ],
            )
        terminal.say()


def look(aws: Aws, name: str, *, detects_drift: bool) -> Status:
    """Asks AWS for everything; changes nothing."""
    by_kind = {kind: stacks.find(aws.cloudformation, stacks.stack_name(name, kind)) for kind in KINDS}
    found = [stack for stack in by_kind.values() if stack]
    serving = [stack for kind in ("balancer", "service", "observability") if (stack := by_kind[kind])]
    outputs = {key: value for stack in serving for key, value in stack.outputs.items()}
    service = by_kind["service"]
    images = Images(aws.ssm, name)
    fleet = Fleet(aws, serving)
    running = images.running(service.parameters.get("ImageParameter", "")) if service else None
    return Status(
        name=name,
        region=aws.region,
        account=aws.account,
        url=outputs.get("Url", ""),
        release=running.release if running else "",
        stacks=tuple(found),
        causes={stack.name: _cause(aws, stack) for stack in found if stack.status not in _GOOD},
        releases=tuple(images.all()),
        group=fleet.group(),
        targets=tuple(fleet.targets()),
        alarms=tuple(fleet.alarms()),
        refresh=fleet.refresh(),
        drifts=tuple(
            each
            for stack in found
            if detects_drift and stack.is_whole
            for each in drift.detect(aws.cloudformation, stack.name)
        ),
    )


def _cause(aws: Aws, stack: Stack) -> str:
    cause = first_cause(last_operation(Events(aws.cloudformation, stack.id).new()))
    return _said(cause) if cause else ""


def _said(cause: Event) -> str:
    return f"{cause.logical_id} ({cause.type}): {cause.reason or cause.status}"


def _when(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M}"


def _of(is_good: bool) -> Colour:
    return Colour.PLAIN if is_good else Colour.BAD


def _json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
