"""One thing at a time: what a load or an unload that takes long holds up, and which threads change that."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.model_server import toy
from tests.model_server.client import predict_request
from tests.model_server.conftest import Publish
from tests.model_server.scene import SECOND, attempt, configure, scene


def test_the_pauses_hold_up_all_models(tmp_path: Path, publish: Publish) -> None:
    flag = configure(tmp_path, publish, "toy", "other")
    with scene(tmp_path, flag, "--max_num_load_retries=3", f"--load_retry_interval_micros={SECOND}") as stage:
        (tmp_path / "toy" / "2").mkdir()
        stage.wait_for_log(attempt("toy", 2))
        publish(tmp_path / "other", 2)
        stage.wait_for_log(attempt("toy", 2), times=4)
        # All attempts are over, and nothing else was loaded meanwhile.
        assert "Successfully loaded servable version {name: other version: 2}" not in stage.said
        assert stage.client.ask("other", 4)[0] == 1
        stage.client.wait_for("other", v2="AVAILABLE")
        assert stage.client.states("toy")[2] == "END"


def test_a_version_that_vanishes_before_its_turn_stays_listed_and_may_come_back(
    tmp_path: Path, publish: Publish
) -> None:
    flag = configure(tmp_path, publish, "toy", "witness", policy="all {}")
    with scene(tmp_path, flag, "--max_num_load_retries=4", f"--load_retry_interval_micros={SECOND}") as stage:
        # Both appear at one moment: the broken one is higher, so it is tried first and holds up the other.
        (tmp_path / "next").mkdir()
        shutil.copytree(tmp_path / "toy" / "1", tmp_path / "next" / "1")
        publish(tmp_path / "next", 2)
        (tmp_path / "next" / "9").mkdir()
        (tmp_path / "toy").rename(tmp_path / "before")
        (tmp_path / "next").rename(tmp_path / "toy")
        stage.wait_for_log(attempt("toy", 9))
        assert stage.client.states("toy") == {1: "AVAILABLE", 2: "START", 9: "LOADING"}
        (tmp_path / "toy" / "2").rename(tmp_path / "aside")
        stage.client.wait_for("toy", v9="END")
        publish(tmp_path / "witness", 2)
        stage.client.wait_for("witness", v2="AVAILABLE")
        assert stage.client.states("toy") == {1: "AVAILABLE", 2: "START", 9: "END"}
        (tmp_path / "aside").rename(tmp_path / "toy" / "2")
        stage.client.wait_for("toy", v2="AVAILABLE")


def test_with_load_threads_the_others_do_not_wait(tmp_path: Path, publish: Publish) -> None:
    flag = configure(tmp_path, publish, "toy", "other")
    with scene(tmp_path, flag, "--num_load_threads=2") as stage:
        (tmp_path / "toy" / "2").mkdir()
        stage.wait_for_log(attempt("toy", 2))
        publish(tmp_path / "other", 2)
        stage.client.wait_for("other", v1="END", v2="AVAILABLE")
        # The first pause takes a minute.
        assert stage.client.states("toy") == {1: "AVAILABLE", 2: "LOADING"}


@pytest.mark.parametrize("threads", [0, 1])
def test_an_unload_that_waits_for_a_request_holds_up_all_models_unless_it_has_a_thread(
    tmp_path: Path, publish: Publish, threads: int
) -> None:
    flag = configure(tmp_path, publish, "toy", "other")
    with scene(tmp_path, flag, f"--num_unload_threads={threads}") as stage:
        slow = predict_request({"turns": np.int32(8 * toy.TURNS_PER_SECOND)}, signature_name="slow", version=1)
        running = stage.client.start_predict(slow)
        assert stage.client.ask("toy", 4) == (1, 3)
        publish(tmp_path / "toy", 2)
        stage.client.wait_for("toy", v1="UNLOADING", v2="AVAILABLE")
        publish(tmp_path / "other", 2)
        stage.client.wait_for("other", v2="AVAILABLE")
        assert running.done() == (threads == 0)
        running.result()
        stage.client.wait_for("toy", v1="END")
