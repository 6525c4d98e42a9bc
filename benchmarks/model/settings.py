"""The ways to run the model that are compared: how rows are padded, on how many threads, with which ops."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.shared import model_process
from benchmarks.shared.model_process import SIGNATURE, ModelProcess
from model_server.process.memory import ONEDNN_OPS

FIXED, LONGEST, MULTIPLE, OURS = "fixed 128", "longest", "multiple of 8", "ours"
POLICIES = (FIXED, LONGEST, MULTIPLE, OURS)
SIGNATURES = {FIXED: "fixed", LONGEST: "longest", MULTIPLE: "multiple", OURS: SIGNATURE}
# Policy -> its SavedModel in the folder that `policies.write` fills.
SAVED_MODELS = dict.fromkeys(POLICIES, "policies") | {OURS: "exported"}


@dataclass(frozen=True)
class Setting:
    """How the model is run.

    Attributes:
        threads: within one op; between ops it is one.
        onednn: whether oneDNN's ops are used, which the embedded server leaves out.
    """

    policy: str
    threads: int
    onednn: bool = False

    @property
    def name(self) -> str:
        """For people."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.policy}, {threads}" + (", oneDNN ops" if self.onednn else "")

    def as_json(self) -> dict[str, object]:
        """For the result file."""
        return asdict(self)


def settings(cores: int) -> list[Setting]:
    """Every policy on one thread and on all cores, and ours on one thread with oneDNN's ops."""
    every = [Setting(policy, threads) for threads in sorted({1, cores}) for policy in POLICIES]
    return [*every, Setting(OURS, 1, onednn=True)]


@contextmanager
def running(wanted: Sequence[Setting], folder: Path) -> Iterator[dict[Setting, ModelProcess]]:
    """A process for each setting, over the SavedModels in the folder; all are ended at the end."""
    with ExitStack() as stack:
        yield {each: stack.enter_context(_process(each, folder)) for each in wanted}


@contextmanager
def _process(setting: Setting, folder: Path) -> Iterator[ModelProcess]:
    saved_model, signature = folder / SAVED_MODELS[setting.policy], SIGNATURES[setting.policy]
    with model_process.running(saved_model, signature, setting.threads, environment(setting.onednn)) as model:
        yield model


def environment(onednn: bool) -> dict[str, str]:
    """As the embedded server sets it up, with or without oneDNN's ops."""
    return os.environ | {ONEDNN_OPS: str(int(onednn))}
