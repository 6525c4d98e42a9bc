"""Versions that come and go, on a running server: what is found, in which order it is swapped, what stays.

One server serves a model for each case; every case works under its own base path only.
"""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.model_server import toy
from tests.model_server.client import Client, predict_request
from tests.model_server.conftest import Publish
from tests.servers import model_server

POLICIES = {
    "swap": "",
    "busy": "",
    "rollback": "",
    "emptied": "",
    "names": "all {}",
    "two": "latest { num_versions: 2 }",
    "listed": "specific { versions: 1 versions: 3 }",
}
MODEL = 'config { name: "%s" base_path: "%s" model_platform: "tensorflow" model_version_policy { %s } }'


def configure(directory: Path, policies: dict[str, str]) -> str:
    """Writes a configuration with these models, each under its own directory; returns the flag."""
    models = " ".join(MODEL % (name, directory / name, policy) for name, policy in policies.items())
    config = directory / "models.config"
    config.write_text(f"model_config_list {{ {models} }}")
    return f"--model_config_file={config}"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def connection(models: Path, publish: Publish) -> Iterator[Client]:
    for name in POLICIES:
        (models / name).mkdir()
        publish(models / name, 1)
    with model_server(configure(models, POLICIES), "--max_num_load_retries=0", "--grpc_max_threads=16") as server:
        client = Client(server.address)
        yield client
        client.close()


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
    turns = 5 * toy.TURNS_PER_SECOND
    running = connection.start_predict(
        predict_request({"turns": np.int32(turns)}, name="busy", version=1, signature_name="slow")
    )
    assert connection.ask("busy", 0) == (1, 1)
    publish(models / "busy", 2)
    connection.wait_for("busy", v2="AVAILABLE")
    assert connection.ask("busy", 0) == (2, 2)
    assert running.result().outputs["turns"].int_val == [turns]
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


def test_names_that_are_numbers_are_versions(connection: Client, models: Path, publish: Publish) -> None:
    """A sign, blanks and leading zeros are fine; the rest is not looked at."""
    base_path = models / "names"
    for name in ("00000123", " 8 ", "+6", "-5"):
        # Copied beside, then renamed: a version is taken as soon as its name is a number.
        Path(shutil.copytree(base_path / "1", base_path / "incoming")).rename(base_path / name)
    for name in ("1.0", "v3", "4_tmp", "0x10", "9223372036854775808", "1e2"):
        (base_path / name).mkdir()
    states = connection.wait_for("names", v1="AVAILABLE", v123="AVAILABLE", v8="AVAILABLE", v6="AVAILABLE")
    assert set(states) <= {1, 123, 8, 6, -5}
    connection.wait_for("names", **{"v-5": "AVAILABLE"})


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


def test_one_vanished_base_path_freezes_all_models_and_loses_none(tmp_path: Path, publish: Publish) -> None:
    for name in ("gone", "other"):
        (tmp_path / name).mkdir()
        publish(tmp_path / name, 1)
    with model_server(configure(tmp_path, {"gone": "", "other": ""}), "--max_num_load_retries=0") as server:
        client = Client(server.address)
        (tmp_path / "gone").rename(tmp_path / "away")
        publish(tmp_path / "other", 2)
        assert client.ask("gone", 4) == (1, 3)
        assert client.ask("other", 4) == (1, 3)
        (tmp_path / "away").rename(tmp_path / "gone")
        client.wait_for("other", v1="END", v2="AVAILABLE")
        assert client.states("gone") == {1: "AVAILABLE"}
        client.close()
