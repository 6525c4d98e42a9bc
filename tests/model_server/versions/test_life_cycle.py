"""Versions that come and go, on a running server: what is found, in which order it is swapped, what stays.

There is a model for each case; every case works under its own base path only.
"""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.model_server.client import Client, predict_request
from tests.model_server.gate import running
from tests.model_server.scene import Scene, model
from tests.model_server.toy import Publish

POLICIES = {
    "swap": "",
    "busy": "",
    "rollback": "",
    "emptied": "",
    "two": "latest { num_versions: 2 }",
    "listed": "specific { versions: 1 versions: 3 }",
}


@pytest.fixture(scope="module")
def models(changing: Scene) -> Path:
    return changing.folder


@pytest.fixture(scope="module")
def connection(changing: Scene, publish: Publish) -> Client:
    for name in POLICIES:
        publish(changing.base_path(name), 1)
    changing.reload(*(model(name, changing.folder / name, policy) for name, policy in POLICIES.items()))
    return changing.client


def test_a_new_version_takes_over_under_traffic_without_a_failed_or_mixed_answer(
    connection: Client, models: Path, publish: Publish
) -> None:
    stop = threading.Event()

    def ask() -> list[tuple[int, float]]:
        answers = []
        while not stop.is_set():
            answers.append(connection.ask("swap", len(answers)))
            version, y = answers[-1]
            assert y == (len(answers) - 1) / 2 + version
        return answers

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask) for _ in range(4)]
        try:
            publish(models / "swap", 2)
            connection.wait_for("swap", v1="END", v2="AVAILABLE")
            # Out of order on purpose: the highest number wins, whenever it comes.
            publish(models / "swap", 4)
            connection.wait_for("swap", v2="END", v4="AVAILABLE")
            publish(models / "swap", 3)
            shutil.rmtree(models / "swap" / "4")
            connection.wait_for("swap", v3="AVAILABLE", v4="END")
        finally:
            stop.set()
        for thread in asking:
            seen = [version for version, _ in thread.result()]
            order = [version for before, version in zip([0, *seen], seen, strict=False) if version != before]
            # A thread may miss a version that served for a moment only; it never sees an older one come back.
            assert set(order) <= {1, 2, 3, 4}
            assert order == sorted(set(order), key=[1, 2, 4, 3].index)
            assert order[-1] == 3


def test_an_unloading_version_finishes_what_runs_and_takes_nothing_new(
    connection: Client, models: Path, publish: Publish
) -> None:
    with running(connection, models / "pipe", name="busy", version=1) as request:
        publish(models / "busy", 2)
        connection.wait_for("busy", v1="UNLOADING", v2="AVAILABLE")
        assert connection.ask("busy", 0) == (2, 2)
        request.finish()
    connection.wait_for("busy", v1="END")
    with pytest.raises(grpc.RpcError) as caught:
        connection.predict(predict_request({"x": np.float32([1])}, name="busy", version=1))
    assert caught.value.details() == "Servable not found for request: Specific(busy, 1)"


def test_deleting_the_newest_brings_the_older_back(connection: Client, models: Path, publish: Publish) -> None:
    publish(models / "rollback", 2)
    connection.wait_for("rollback", v1="END", v2="AVAILABLE")
    shutil.rmtree(models / "rollback" / "2")
    connection.wait_for("rollback", v1="AVAILABLE", v2="END")
    assert connection.ask("rollback", 0) == (1, 1)


def test_a_base_path_without_versions_unloads_the_model_and_keeps_its_history(
    connection: Client, models: Path, publish: Publish
) -> None:
    shutil.rmtree(models / "emptied" / "1")
    connection.wait_for("emptied", v1="END")
    (ended,) = connection.status(name="emptied")
    assert ended.status.error_code == 0
    with pytest.raises(grpc.RpcError) as caught:
        connection.ask("emptied", 0)
    assert caught.value.details() == "Servable not found for request: Latest(emptied)"
    publish(models / "emptied", 1)
    connection.wait_for("emptied", v1="AVAILABLE")


def test_latest_n_keeps_the_n_highest(connection: Client, models: Path, publish: Publish) -> None:
    publish(models / "two", 2)
    connection.wait_for("two", v1="AVAILABLE", v2="AVAILABLE")
    publish(models / "two", 3)
    connection.wait_for("two", v1="END", v2="AVAILABLE", v3="AVAILABLE")
    assert connection.ask("two", 0) == (3, 3)
    assert (
        connection.predict(predict_request({"x": np.float32([0])}, name="two", version=2)).model_spec.version.value == 2
    )


def test_specific_takes_the_listed_ones_only(connection: Client, models: Path, publish: Publish) -> None:
    publish(models / "listed", 2)
    publish(models / "listed", 3)
    connection.wait_for("listed", v1="AVAILABLE", v3="AVAILABLE")
    assert 2 not in connection.states("listed")
