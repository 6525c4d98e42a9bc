"""Versions change under load: no request fails, no answer mixes versions, and a dropped version's memory comes back."""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.model_server.client import Client, predict_request
from tests.model_server.scene import Scene, listed, model, scene, write
from tests.model_server.toy import Publish

THREADS = 8
REQUESTS = 10_000
# Upwards one by one, then back by deleting the newest.
CHANGES = (2, 3, 4, 5, 6)
# Large against everything else that a swap may leave behind.
MEBIBYTES = 64
TOLERANCE = 0.10


class Heavy(tf.Module):
    """One variable of MEBIBYTES; y = x / 2 + version, in each of its elements that are asked for."""

    def __init__(self, version: int) -> None:
        super().__init__()
        self.table = tf.Variable(tf.fill([MEBIBYTES * 2**20 // 4], float(version)))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def halve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x / 2 + self.table[0], "last": x / 2 + self.table[-1]}


def publish_heavy(base_path: Path, version: int) -> None:
    heavy = Heavy(version)
    incoming = base_path / "incoming"
    tf.saved_model.save(heavy, str(incoming), signatures={"serving_default": heavy.halve})
    incoming.rename(base_path / str(version))


def resident_mebibytes(stage: Scene) -> float:
    """Resident memory of the server process, without the pages of files."""
    for line in Path(f"/proc/{stage.server.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no RssAnon")


class Load:
    """Threads that ask without a pause, each on a connection of its own."""

    def __init__(self, stage: Scene, name: str) -> None:
        self._address = stage.server.address
        self._name = name
        self._stop = threading.Event()
        self._enough = threading.Event()
        self._counts = [0] * THREADS
        self.changes: list[list[int]] = []

    @property
    def count(self) -> int:
        """Answers so far."""
        return sum(self._counts)

    def ask(self, number: int) -> list[int]:
        """The versions that answered, each named once for as long as it went on answering."""
        client = Client(self._address)
        versions = [0]
        try:
            while not self._stop.is_set():
                x = np.float32([number, self._counts[number] % 1000, -1])
                answer = client.predict(predict_request({"x": x}, name=self._name))
                version = answer.model_spec.version.value
                for alias in answer.outputs:
                    assert list(answer.outputs[alias].float_val) == list(x / 2 + version)
                self._counts[number] += 1
                if versions[-1] != version:
                    versions.append(version)
                if self.count >= REQUESTS:
                    self._enough.set()
        finally:
            # A thread that fails must not keep the test waiting.
            self._enough.set()
            client.close()
        return versions[1:]

    def run(self, change: Iterator[None]) -> None:
        """Makes the changes while all threads ask, and goes on until enough was answered."""
        with ThreadPoolExecutor(THREADS) as threads:
            asking = [threads.submit(self.ask, number) for number in range(THREADS)]
            try:
                for _ in change:
                    assert not any(thread.done() for thread in asking)
                self._enough.wait()
            finally:
                self._stop.set()
            self.changes = [thread.result() for thread in asking]


def changes(stage: Scene, publish: Publish) -> Iterator[None]:
    base_path = stage.folder / "swapped"
    for version in CHANGES:
        publish(base_path, version)
        stage.client.wait_for("swapped", **{f"v{version - 1}": "END", f"v{version}": "AVAILABLE"})
        yield
    shutil.rmtree(base_path / str(CHANGES[-1]))
    stage.client.wait_for("swapped", **{f"v{CHANGES[-1]}": "END", f"v{CHANGES[-2]}": "AVAILABLE"})
    yield


def test_no_request_fails_over_five_changes_and_a_rollback(changing: Scene, publish: Publish) -> None:
    changing.serve(publish, "swapped")
    load = Load(changing, "swapped")
    load.run(changes(changing, publish))
    assert load.count >= REQUESTS
    order = [1, *CHANGES]
    for versions in load.changes:
        # A thread may miss a version that served for a moment only; none comes back but by the rollback.
        assert versions[-1] == CHANGES[-2]
        forward = versions[:-1] if versions[-2:] == [CHANGES[-1], CHANGES[-2]] else versions
        assert all(before < after for before, after in pairwise(forward))
        assert set(forward) <= set(order)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads resident memory from /proc")
def test_the_memory_of_dropped_versions_comes_back(tmp_path: Path) -> None:
    base_path = tmp_path / "heavy"
    base_path.mkdir()
    publish_heavy(base_path, 1)
    with scene(tmp_path, write(tmp_path / "models.config", listed(model("heavy", base_path)))) as stage:
        load = Load(stage, "heavy")
        sizes: list[float] = []

        def swaps() -> Iterator[None]:
            for version in CHANGES:
                publish_heavy(base_path, version)
                stage.client.wait_for("heavy", **{f"v{version - 1}": "END", f"v{version}": "AVAILABLE"})
                sizes.append(resident_mebibytes(stage))
                yield

        for number in range(100):
            stage.client.ask("heavy", number)
        before = resident_mebibytes(stage)
        load.run(swaps())
        after = resident_mebibytes(stage)
        assert after <= before * (1 + TOLERANCE), f"{before} MiB before, then {sizes}, {after} at the end"
        # All models gone: the last one is freed as well.
        stage.reload()
        stage.client.wait_for("heavy", **{f"v{CHANGES[-1]}": "END"})
        assert resident_mebibytes(stage) <= after - MEBIBYTES * 0.9
