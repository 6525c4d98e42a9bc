"""Where the gateway's CPU goes: py-spy samples its Python thread, the kernel counts what its other threads use.

py-spy counts a sample when the thread is running or would like to. For the second not to happen the gateway has a core
for itself, and py-spy never stops it (`--nonblocking`): so samples were found to agree with the kernel's CPU times.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gateway.load import Round, run
from benchmarks.shared import services
from benchmarks.shared.texts import write_bodies

CONNECTIONS = (1, 32)
# A second. With a busy model server the gateway runs a tenth of the time, so fewer would need minutes.
SAMPLES = 1000
FUNCTIONS = 5
WARM_UP_SECONDS = 2

_FRAME = re.compile(r"(.+) \((.+):(\d+)\)")
EVENT_LOOP = "event loop and tasks"
OWN_THREADS = "gRPC client: its own threads"
# The first that fits the innermost frame decides; a frame that none fits belongs to who called it.
_PARTS = (
    ("access log", r"gateway/telemetry/logs\.py:|logging/|gateway/api/request_log\.py:(_values|RequestLog\._level)$"),
    ("metrics", r"gateway/telemetry/metrics\.py:|gateway/api/request_log\.py:metrics_view$|prometheus_client/"),
    ("combiner", r"gateway/upstream/combiner\.py:"),
    (
        "gRPC client",
        r"gateway/upstream/(backend|calls|breaker|retries|messages|statuses|channel)\.py:|grpc/|google/protobuf/",
    ),
    ("JSON (msgspec)", r"gateway/api/strict_json\.py:|gateway/api/views\.py:json_response$|msgspec/"),
    ("checks of the request", r"gateway/api/(bodies|schemas)\.py:"),
    ("HTTP (aiohttp)", r"aiohttp/|multidict/|yarl/|gateway/api/protocol\.py:"),
    ("sockets: read, write, wait", r"asyncio/selector_events\.py:|selectors\.py:|socket\.py:"),
    (EVENT_LOOP, r"asyncio/base_events\.py:.*\b(_run_once|run_forever)$|asyncio/events\.py:.*\b_run$"),
    ("middlewares, limits, views", r"gateway/"),
)
_RULES = tuple((name, re.compile(pattern)) for name, pattern in _PARTS)


class ProfileError(Exception):
    """py-spy could not do its work; the text says what to do."""


@dataclass(frozen=True)
class Part:
    """Of the gateway's work; shares of all of its CPU, 0 to 1."""

    name: str
    share: float
    functions: tuple[tuple[str, float], ...]
    """The heaviest: file:function, and its share, with what it called outside of all parts."""


@dataclass(frozen=True)
class Profile:
    """Of the gateway under so many connections."""

    connections: int
    cpu_ms: float
    """Of the gateway per request, all threads; in the run that was sampled."""
    failed: int
    """Requests of that run."""
    samples: int
    has_own_core: bool
    """If not, parts that wake other processes look heavier than they are."""
    parts: tuple[Part, ...]
    """The heaviest first."""


def measure(models: Path, path: str, seconds: int, say: Callable[[str], None]) -> list[Profile]:
    """Samples a gateway with its default settings in front of a model server, for so long at each of `CONNECTIONS`.

    Raises:
        ProfileError: py-spy is missing, or may not look into the gateway.
        NoLoadGeneratorError: wrk is missing.
        NoVersionError: `models` has no version of the model.
    """
    with ExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        own_core = stack.enter_context(_others_cores())
        bodies = write_bodies(state)
        server, address = stack.enter_context(services.model_server(models, state))
        gateway, port = stack.enter_context(services.gateway(address))
        for thread in _threads(gateway) if own_core else ():
            os.sched_setaffinity(thread, own_core)

        def load(connections: int, seconds: int) -> Round:
            return run(gateway, server, port, path, bodies, connections, seconds)

        load(max(CONNECTIONS), WARM_UP_SECONDS)
        profiles = []
        for connections in CONNECTIONS:
            say(f"profile: {connections} connections")
            before = _cpu_by_thread(gateway)
            with _sampling(gateway, state / "samples", seconds):
                # py-spy needs a moment for its start.
                done = load(connections, seconds + 1)
            spent = {thread: used - before.get(thread, 0) for thread, used in _cpu_by_thread(gateway).items()}
            main = spent[gateway] / sum(spent.values())
            stacks = list(main_stacks((state / "samples").read_text().splitlines(), gateway))
            count = sum(times for _, times in stacks)
            profiles.append(Profile(connections, done.gateway, done.failed, count, bool(own_core), parts(stacks, main)))
        return profiles


def main_stacks(lines: Iterable[str], pid: int) -> Iterator[tuple[list[str], int]]:
    """From py-spy's raw format: frames of the main thread as file:function, the innermost last, and how often.

    A sample without frames is one that the running thread spoilt.
    """
    for line in lines:
        frames, _, count = line.rpartition(" ")
        thread, *calls = re.split(r";(?=[^;]+ \([^;]+:\d+\))", frames)
        if calls and thread.startswith(f"thread ({pid})"):
            yield [f"{found[2]}:{found[1]}" for call in calls if (found := _FRAME.fullmatch(call))], int(count)


def parts(stacks: Iterable[tuple[list[str], int]], main: float) -> tuple[Part, ...]:
    """Folds the stacks of the main thread, which uses the share `main` of the CPU, 0 to 1; gRPC's threads use the rest.

    Raises:
        ProfileError: there is no stack.
    """
    totals: Counter[str] = Counter()
    functions: dict[str, Counter[str]] = {}
    for frames, count in stacks:
        part, function = part_of(frames)
        totals[part] += count
        functions.setdefault(part, Counter())[function] += count
    if not totals:
        raise ProfileError("py-spy saw nothing of the gateway; give it more time with --profile-seconds")
    unit = main / totals.total()
    found = [
        Part(name, count * unit, tuple((each, n * unit) for each, n in functions[name].most_common(FUNCTIONS)))
        for name, count in totals.items()
    ]
    return tuple(sorted([*found, Part(OWN_THREADS, 1 - main, ())], key=lambda part: -part.share))


def part_of(frames: list[str]) -> tuple[str, str]:
    """Whose work a stack is: the part, and the function of it that was running or had called what was."""
    for frame in reversed(frames):
        for name, pattern in _RULES:
            if pattern.match(frame):
                return name, frame
    return EVENT_LOOP, frames[-1]


@contextmanager
def _others_cores() -> Iterator[set[int]]:
    """Keeps this process and those it starts meanwhile off one core, and says which; none where there is only one."""
    cores = os.sched_getaffinity(0)
    own = {min(cores)} if len(cores) > 1 else set()
    os.sched_setaffinity(0, cores - own)
    try:
        yield own
    finally:
        os.sched_setaffinity(0, cores)


def _threads(pid: int) -> list[int]:
    return [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()]


def _cpu_by_thread(pid: int) -> dict[int, int]:
    """Nanoseconds."""
    return {
        thread: int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0]) for thread in _threads(pid)
    }


@contextmanager
def _sampling(pid: int, output: Path, seconds: int) -> Iterator[None]:
    command = shutil.which("py-spy", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if command is None:
        raise ProfileError("py-spy is needed to see where CPU goes; `pip install -r requirements.txt` brings it")
    words = f"record --pid {pid} --duration {seconds} --rate {SAMPLES} --nonblocking --threads --format raw".split()
    process = subprocess.Popen(
        [command, *words, "--output", output], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        yield
        said = process.communicate()[1]
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise ProfileError(explained(said))


def explained(said: str) -> str:
    """What to do about py-spy's failure, from its words."""
    if re.search("permission denied|not permitted", said, re.IGNORECASE):
        return (
            "py-spy may not look into the gateway; run this as root, or allow it with "
            "`sysctl -w kernel.yama.ptrace_scope=0`, in a container with `--cap-add SYS_PTRACE`"
        )
    return f"py-spy failed: {' '.join(said.partition('Stack backtrace')[0].split())}"
