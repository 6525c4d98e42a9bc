"""Loads that fail: how often they are tried, what waits meanwhile, how they end, and when they are tried again."""

import shutil
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tests.model_server import toy
from tests.model_server.client import predict_request
from tests.model_server.conftest import Publish
from tests.model_server.scene import SECOND, Scene, attempt, configure, listed, model, scene, unready_scene, write
from tests.servers import run_model_server, wait_until_ready

WARM_UP = Path("assets.extra") / "tf_serving_warmup_requests"
NO_MODEL = (
    "Specified file path does not appear to contain a SavedModel bundle (should have a file called `saved_model.pb`)\n"
    "Specified file path: "
)


def status(stage: Scene, name: str, version: int) -> ModelVersionStatus:
    (one,) = stage.client.status(name=name, version=version)
    return one


def test_tries_as_often_as_asked_and_ends_with_the_last_error(tmp_path: Path, publish: Publish) -> None:
    flag = configure(tmp_path, publish, "toy")
    with scene(tmp_path, flag, "--max_num_load_retries=2", f"--load_retry_interval_micros={SECOND}") as stage:
        path = tmp_path / "toy" / "2"
        path.mkdir()
        stage.wait_for_log(attempt("toy", 2))
        assert stage.client.states("toy") == {1: "AVAILABLE", 2: "LOADING"}
        # The cause changes between the attempts: it is the last one that is reported.
        (path / "export.meta").touch()
        stage.client.wait_for("toy", v2="END")
        ended = status(stage, "toy", 2)
        assert (ended.status.error_code, ended.status.error_message) == (
            12,
            "Session Bundle is deprecated and removed.",
        )
        assert stage.said.count(attempt("toy", 2)) == 3
        assert stage.client.ask("toy", 4) == (1, 3)


def test_a_version_that_is_completed_between_two_attempts_is_served(tmp_path: Path, publish: Publish) -> None:
    flag = configure(tmp_path, publish, "toy")
    (tmp_path / "whole").mkdir()
    whole = publish(tmp_path / "whole", 2)
    with scene(tmp_path, flag, "--max_num_load_retries=50", f"--load_retry_interval_micros={SECOND // 5}") as stage:
        (tmp_path / "toy" / "2").mkdir()
        stage.wait_for_log(attempt("toy", 2))
        # The file that makes it a SavedModel comes last.
        (whole / "saved_model.pb").rename(tmp_path / "saved_model.pb")
        shutil.copytree(whole, tmp_path / "toy" / "2", dirs_exist_ok=True)
        (tmp_path / "saved_model.pb").rename(tmp_path / "toy" / "2" / "saved_model.pb")
        stage.client.wait_for("toy", v1="END", v2="AVAILABLE")


@pytest.mark.parametrize("retries", ["--max_num_load_retries=0", "--load_retry_interval_micros=-1"])
def test_does_not_pause(tmp_path: Path, publish: Publish, retries: str) -> None:
    """Without a retry, or with a negative pause: the default would take five minutes."""
    flag = configure(tmp_path, publish, "toy")
    with scene(tmp_path, flag, retries) as stage:
        (tmp_path / "toy" / "2").mkdir()
        stage.client.wait_for("toy", v1="AVAILABLE", v2="END")
        ended = status(stage, "toy", 2)
        assert (ended.status.error_code, ended.status.error_message) == (5, NO_MODEL + str(tmp_path / "toy" / "2"))


def test_a_version_that_vanishes_between_attempts_ends_with_its_error(tmp_path: Path, publish: Publish) -> None:
    flag = configure(tmp_path, publish, "toy", policy="all {}")
    pause = f"--load_retry_interval_micros={2 * SECOND}"
    with scene(tmp_path, flag, "--num_load_threads=1", "--max_num_load_retries=100", pause) as stage:
        path = tmp_path / "toy" / "2"
        path.mkdir()
        stage.wait_for_log(attempt("toy", 2))
        path.rmdir()
        stage.client.wait_for("toy", v1="AVAILABLE", v2="END")
        ended = status(stage, "toy", 2)
        assert (ended.status.error_code, ended.status.error_message) == (5, NO_MODEL + str(path))
        assert stage.said.count(attempt("toy", 2)) < 10
        # It is forgotten: put back, it is new.
        publish(tmp_path / "toy", 2)
        stage.client.wait_for("toy", v1="AVAILABLE", v2="AVAILABLE")


def test_a_load_that_nobody_wants_any_more_is_cancelled(tmp_path: Path, publish: Publish) -> None:
    flag = configure(tmp_path, publish, "toy", "other")
    log = PredictionLog()
    slow = predict_request({"turns": np.int32(4 * toy.TURNS_PER_SECOND)}, signature_name="slow")
    log.predict_log.request.CopyFrom(slow)
    with scene(tmp_path, flag, "--num_load_threads=4") as stage:
        (tmp_path / "incoming").mkdir()
        version = publish(tmp_path / "incoming", 2)
        (version / WARM_UP).parent.mkdir()
        with tf.io.TFRecordWriter(str(version / WARM_UP)) as writer:
            writer.write(log.SerializeToString())
        version.rename(tmp_path / "toy" / "2")
        stage.client.wait_for("toy", v2="LOADING")
        stage.reload(model("other", tmp_path / "other"))
        stage.client.wait_for("toy", v1="END", v2="LOADING")
        stage.client.wait_for("toy", v1="END", v2="END")
        ended = status(stage, "toy", 2)
        assert (ended.status.error_code, ended.status.error_message) == (1, "Loading of servable cancelled")
        assert stage.client.ask("other", 4) == (1, 3)


def test_what_cannot_be_measured_is_retried_before_loading_starts(tmp_path: Path, publish: Publish) -> None:
    flag = configure(tmp_path, publish, "toy", policy="all {}")
    with scene(tmp_path, flag, "--num_load_threads=1", f"--load_retry_interval_micros={SECOND // 5}") as stage:
        path = tmp_path / "toy" / "2"
        path.write_text("no directory")
        stage.wait_for_log(f"{path}; Not a directory")
        assert stage.client.states("toy") == {1: "AVAILABLE", 2: "START"}
        stage.client.wait_for("toy", v1="AVAILABLE", v2="END")
        assert status(stage, "toy", 2).status.error_message.endswith(f"{path}; Not a directory")


def test_a_failed_version_is_left_alone_and_a_higher_one_is_loaded(tmp_path: Path, publish: Publish) -> None:
    flag = configure(tmp_path, publish, "toy")
    with scene(tmp_path, flag, "--max_num_load_retries=0") as stage:
        (tmp_path / "toy" / "2").mkdir()
        stage.client.wait_for("toy", v2="END")
        publish(tmp_path / "toy", 3)
        stage.client.wait_for("toy", v1="END", v2="END", v3="AVAILABLE")
        assert stage.said.count(attempt("toy", 2)) == 1
        # Its turn comes again only after it was not wanted for a while: now it fails once more.
        shutil.rmtree(tmp_path / "toy" / "3")
        stage.wait_for_log(attempt("toy", 2), times=2)
        stage.client.wait_for("toy", v2="END", v3="AVAILABLE")
        assert stage.client.ask("toy", 4) == (3, 5)


def test_while_the_only_version_is_retried_the_ports_stay_closed(tmp_path: Path, publish: Publish) -> None:
    (tmp_path / "toy" / "1").mkdir(parents=True)
    (tmp_path / "whole").mkdir()
    whole = publish(tmp_path / "whole", 1)
    flags = ["--model_name=toy", f"--model_base_path={tmp_path / 'toy'}", f"--load_retry_interval_micros={SECOND}"]
    with unready_scene(tmp_path, *flags, "--max_num_load_retries=100") as stage:
        stage.wait_for_log(attempt("toy", 1), times=2)
        with pytest.raises(grpc.RpcError) as caught:
            stage.client.states("toy")
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        (tmp_path / "toy" / "1").rename(tmp_path / "toy" / "gone")
        whole.rename(tmp_path / "toy" / "1")
        wait_until_ready(stage.server)


def test_every_model_that_fails_the_start_is_named(tmp_path: Path, publish: Publish) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "3").mkdir(parents=True)
    (tmp_path / "good").mkdir()
    publish(tmp_path / "good", 1)
    models = listed(*(model(name, tmp_path / name) for name in ("two", "good", "one")))
    ended = run_model_server(write(tmp_path / "models.config", models), "--max_num_load_retries=0")
    assert ended.returncode == 255
    reasons = "".join(
        f"{{{{name: {name} version: 3}} due to error: NOT_FOUND: {NO_MODEL}{tmp_path / name / '3'}}}, "
        for name in ("one", "two")
    )
    expected = f"Failed to start server. Error: UNKNOWN: 2 servable(s) did not become available: {{{reasons}}}"
    assert expected in ended.stdout


def test_the_highest_version_decides_the_start(tmp_path: Path, publish: Publish) -> None:
    """With all versions wanted, the highest is the first to be tried."""
    publish(tmp_path, 1)
    (tmp_path / "9").mkdir()
    config = write(tmp_path / "models.config", listed(model("toy", tmp_path, "all {}")))
    ended = run_model_server(config, "--max_num_load_retries=0")
    assert ended.returncode == 255
    assert "1 servable(s) did not become available: {{{name: toy version: 9} due to error: NOT_FOUND: " in ended.stdout
