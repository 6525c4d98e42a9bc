"""A stack operation under way: shown as it happens, waited for, and judged at its end."""

import time
from typing import NoReturn

from cloudformation.errors import FleetError, StillRunningError
from cloudformation.operate.aws import CONNECTION_LOST, REFUSALS, explain
from cloudformation.operate.events import Event, Events, first_cause
from cloudformation.operate.terminal import Colour, Terminal

POLL_SECONDS = 3.0
"""Between two looks: CloudFormation throttles accounts that look more than a few times a second, all users together."""

_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")
_WHAT_NOW = {
    "CREATE_FAILED": "what was made is still there; run the same command again, it offers to delete that first",
    "ROLLBACK_COMPLETE": "nothing of it is left; run the same command again when the cause is gone",
    "ROLLBACK_FAILED": "some of it is left; run the same command again, it offers to delete that first",
    "UPDATE_ROLLBACK_COMPLETE": "CloudFormation went back; everything is as before the update",
    "UPDATE_ROLLBACK_FAILED": "repair what is named, then "
    "`aws cloudformation continue-update-rollback --stack-name {name}`",
    "DELETE_FAILED": "remove what is named, then run `destroy` again",
}


class Operation:
    """What happens to one stack from now on, until it is over."""

    def __init__(self, events: Events, stack_name: str, total: int, terminal: Terminal) -> None:
        """
        Args:
            events: of the stack, those before the operation skipped.
            total: resources that the operation works on.
        """
        self._events = events
        self._name = stack_name
        self._total = total
        self._terminal = terminal
        self._seen: list[Event] = []
        self._begun: dict[str, None] = {}
        self._done: set[str] = set()

    def wait(self, seconds: float) -> None:
        """Shows the events until the operation is over. A connection that is lost meanwhile is waited for, too.

        Raises:
            FleetError: it failed; names the first cause.
            StillRunningError: `seconds` are over, AWS refuses to tell more, or Ctrl-C; the stack goes on.
        """
        begin = time.monotonic()
        try:
            while True:
                for event in self._look():
                    self._show(event)
                    if event.is_end:
                        return self._judge(event)
                elapsed = time.monotonic() - begin
                if elapsed > seconds:
                    self._leave(f"not over after {_duration(elapsed)}")
                self._terminal.progress(self._standing(elapsed))
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            self._leave("interrupted")
        except REFUSALS as error:
            self._leave(explain(error))

    def _look(self) -> list[Event]:
        try:
            return self._events.new()
        except CONNECTION_LOST:
            self._terminal.progress("AWS cannot be reached; trying again, Ctrl-C stops the waiting")
            return []

    def _show(self, event: Event) -> None:
        self._seen.append(event)
        if not event.is_of_stack:
            if event.is_begin:
                self._begun[event.logical_id] = None
            else:
                self._begun.pop(event.logical_id, None)
                self._done.add(event.logical_id)
        is_news = event.is_of_stack or not event.is_begin
        # What a group tells while it rolls; not the standing phrases that every resource brings.
        tells = event.reason and not event.reason.lower().endswith("initiated")
        if is_news or tells:
            words = [f"{event.time.astimezone():%H:%M:%S}", f"{event.status:<20}", event.logical_id]
            if not event.is_of_stack:
                words.append(f"({event.type})")
            if tells:
                words.append(event.reason)
            self._terminal.say("  " + "  ".join(words), _colour(event))

    def _standing(self, elapsed: float) -> str:
        line = f"  {self._name}: {len(self._done)} of {self._total} resources, {_duration(elapsed)}"
        return f"{line}; working on {', '.join(self._begun)}" if self._begun else line

    def _judge(self, end: Event) -> None:
        if end.status in _GOOD:
            return
        message = f"{self._name} ended in {end.status}"
        if cause := first_cause(self._seen):
            message += f"\n  first cause: {cause.logical_id} ({cause.type}): {cause.reason or cause.status}"
        elif reason := next(
            (event.reason for event in self._seen if event.is_of_stack and _is_back(event)), end.reason
        ):
            # An alarm that rang, or somebody who cancelled.
            message += f"\n  reason: {reason}"
        if advice := _WHAT_NOW.get(end.status):
            message += f"\n  {advice.format(name=self._name)}"
        raise FleetError(message)

    def _leave(self, why: str) -> NoReturn:
        raise StillRunningError(
            f"{why}; the operation on {self._name} goes on without this command. `status` shows where it stands"
        )


def _is_back(event: Event) -> bool:
    return "ROLLBACK" in event.status and event.reason != ""


def _colour(event: Event) -> Colour:
    if event.is_failure:
        return Colour.BAD
    if "ROLLBACK" in event.status:
        return Colour.CAREFUL
    if event.is_of_stack and event.status in _GOOD:
        return Colour.GOOD
    return Colour.QUIET if event.is_begin and not event.is_of_stack else Colour.PLAIN


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
