"""What user data says to an instance: /etc/intent/instance.env, `NAME=value` lines, none of them secret."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from cloudformation.image.instance.errors import InstanceError

FILE = Path("/etc/intent/instance.env")


@dataclass(frozen=True)
class InstanceSettings:
    """Each field is the variable of the same name in capitals; an empty value is the same as none.

    Without a hook and a stack, nobody waits for this instance.

    Raises:
        InstanceError: one that is needed is missing, or two contradict each other.
    """

    deployment: str
    """The deployment's name: a dimension of its metrics."""
    ready_seconds: int
    """How long this instance has to become ready."""
    region: str = ""
    asg: str = ""
    """Name of the Auto Scaling group."""
    hook: str = ""
    """Name of its launch lifecycle hook."""
    stack: str = ""
    """Name of the stack to signal."""
    resource: str = ""
    """Logical id of the Auto Scaling group in that stack."""
    target_group_arn: str = ""
    """The load balancer's opinion that the stack waits for."""
    keys_parameter: str = ""
    """Name of the SSM SecureString with the gateway's keys file; empty = none."""
    keys_secret: str = ""
    """The same as a Secrets Manager secret: its name or ARN."""
    log_group: str = ""
    """Where the agent sends logs; empty = no telemetry."""

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise InstanceError(f"{FILE}: {problem}; correct the launch template's user data")

    def _problems(self) -> Iterator[str]:
        if not self.deployment:
            yield "DEPLOYMENT is missing"
        for names in (("asg", "hook"), ("stack", "resource", "target_group_arn")):
            missing = [name.upper() for name in names if not getattr(self, name)]
            if missing and len(missing) < len(names):
                yield f"{', '.join(missing)} is missing beside {', '.join(set(map(str.upper, names)) - set(missing))}"
        if self.ready_seconds < 1:
            yield f"READY_SECONDS={self.ready_seconds} is less than one second"
        if self.keys_parameter and self.keys_secret:
            yield "KEYS_PARAMETER and KEYS_SECRET are both set; use one of them"
        if not self.region and any((self.asg, self.stack, self.keys_parameter, self.keys_secret)):
            yield "REGION is missing, and AWS is to be asked"


def read_settings(file: Path = FILE) -> InstanceSettings:
    """The settings in this file.

    Names that are not known are left out: a template that has learnt something new goes on starting older images.

    Raises:
        InstanceError: it is missing, has a line of another form, or a wrong value.
    """
    try:
        lines = file.read_text().splitlines()
    except OSError as error:
        raise InstanceError(f"{file}: {error.strerror}; user data writes it") from None
    values = {"DEPLOYMENT": "", "READY_SECONDS": ""}
    for number, line in enumerate(lines, start=1):
        name, equals, value = line.partition("=")
        if not equals:
            raise InstanceError(f"{file}:{number}: {line!r} is not NAME=value")
        values[name.strip()] = value.strip()
    seconds = values.pop("READY_SECONDS")
    if not (seconds.isascii() and seconds.isdigit()):
        raise InstanceError(f"{file}: READY_SECONDS={seconds} is no whole number of seconds")
    texts = {each.name: values[each.name.upper()] for each in fields(InstanceSettings) if each.name.upper() in values}
    return InstanceSettings(ready_seconds=int(seconds), **texts)
