"""What a rollout with given parameters does at its worst, before anybody begins one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cloudformation.template import rollout
from cloudformation.template.files import TEMPLATES, load


@dataclass(frozen=True)
class RolloutCheck:
    """A rollout of the capacity that the service begins with."""

    kind: str
    capacity: int
    limit: int
    """MaxSize."""
    plan: rollout.Plan

    def __str__(self) -> str:
        serving, existing = self.plan.fewest, self.plan.most
        return (
            f"{self.kind} of {self.capacity}: at least {serving} serve, at most {existing} exist (MaxSize {self.limit})"
        )

    def problems(self) -> Iterator[str]:
        """Nothing, if capacity is neither lost nor exceeded."""
        if self.plan.fewest < self.capacity:
            yield f"a rollout leaves {self.plan.fewest} of {self.capacity} instances in service"
        if self.plan.most > self.limit:
            yield f"a rollout needs {self.plan.most} instances, and MaxSize is {self.limit}"


def check_rollout(values: Mapping[str, str]) -> RolloutCheck:
    """
    Args:
        values: of all parameters of service.yaml.
    """
    kind, capacity = values["Rollout"], int(values["DesiredCapacity"])
    plan = rollout.policies(load(TEMPLATES["service"]), values)[kind].plan(capacity)
    return RolloutCheck(kind, capacity, int(values["MaxSize"]), plan)
