"""Loads that fail: how often they are tried, what waits meanwhile, how they end, and when they are tried again."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

from tests.model_server.scene import SECOND, Scene, attempt, configure, listed, model, scene, unready_scene, write
from tests.model_server.toy import Publish
from tests.servers import run_model_server, wait_until_ready

NO_MODEL = (
    "Specified file path does not appear to contain a SavedModel bundle (should have a file called `saved_model.pb`)\n"
    "Specified file path: "
)


def status(stage: Scene, name: str, version: int) -> ModelVersionStatus:
    (one,) = stage.client.status(name=name, version=version)
    return one


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[Scene]:
    """A server that tries a load twice more, after a second each."""
    folder = tmp_path_factory.mktemp("twice")
    config = configure(folder, publish, "toy", "failing", "other", "file")
    with scene(folder, config, "--max_num_load_retries=2", f"--load_retry_interval_micros={SECOND}") as found:
        yield found


@pytest.fixture(scope="module")
def stubborn(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[Scene]:
    """A server that tries a load, in a thread, for longer than any test waits."""
    folder = tmp_path_factory.mktemp("stubborn")
    flags = ["--num_load_threads=1", "--max_num_load_retries=1000", f"--load_retry_interval_micros={SECOND // 5}"]
    for name in ("toy", "vanishing"):
        (folder / name).mkdir()
        publish(folder / name, 1)
    models = listed(model("toy", folder / "toy"), model("vanishing", folder / "vanishing", "all {}"))
    with scene(folder, write(folder / "models.config", models), *flags) as found:
        yield found


def test_tries_as_often_as_asked_and_ends_with_the_last_error(twice: Scene) -> None:
    path = twice.folder / "toy" / "2"
    path.mkdir()
    twice.wait_for_log(attempt("toy", 2))
    assert twice.client.states("toy") == {1: "AVAILABLE", 2: "LOADING"}
    # The cause changes between the attempts: it is the last one that is reported.
    (path / "export.meta").touch()
    twice.client.wait_for("toy", v2="END")
    ended = status(twice, "toy", 2)
    assert (ended.status.error_code, ended.status.error_message) == (12, "Session Bundle is deprecated and removed.")
    assert twice.said.count(attempt("toy", 2)) == 3
    assert twice.client.ask("toy", 4) == (1, 3)


def test_the_pauses_hold_up_all_models(twice: Scene, publish: Publish) -> None:
    (twice.folder / "failing" / "2").mkdir()
    twice.wait_for_log(attempt("failing", 2))
    publish(twice.folder / "other", 2)
    twice.client.wait_for("other", v2="AVAILABLE")
    assert twice.client.states("failing")[2] == "END"
    # Nothing else was loaded before all attempts were over.
    before, _, _ = twice.said.partition("Successfully loaded servable version {name: other version: 2}")
    assert before.count(attempt("failing", 2)) == 3


def test_what_cannot_be_measured_is_retried_before_loading_starts(twice: Scene) -> None:
    path = twice.folder / "file" / "2"
    path.write_text("no directory")
    twice.wait_for_log(f"{path}; Not a directory")
    assert twice.client.states("file") == {1: "AVAILABLE", 2: "START"}
    twice.client.wait_for("file", v1="AVAILABLE", v2="END")
    assert status(twice, "file", 2).status.error_message.endswith(f"{path}; Not a directory")


def test_a_version_that_is_completed_between_two_attempts_is_served(
    stubborn: Scene, publish: Publish, tmp_path: Path
) -> None:
    whole, target = publish(tmp_path, 2), stubborn.folder / "toy" / "2"
    target.mkdir()
    stubborn.wait_for_log(attempt("toy", 2))
    # The file that makes it a SavedModel comes last.
    (whole / "saved_model.pb").rename(tmp_path / "saved_model.pb")
    shutil.copytree(whole, target, dirs_exist_ok=True)
    (tmp_path / "saved_model.pb").rename(target / "saved_model.pb")
    stubborn.client.wait_for("toy", v1="END", v2="AVAILABLE")


def test_a_version_that_vanishes_between_attempts_ends_with_its_error(stubborn: Scene, publish: Publish) -> None:
    path = stubborn.folder / "vanishing" / "2"
    path.mkdir()
    stubborn.wait_for_log(attempt("vanishing", 2))
    path.rmdir()
    # Long before the last attempt.
    stubborn.client.wait_for("vanishing", v1="AVAILABLE", v2="END")
    ended = status(stubborn, "vanishing", 2)
    assert (ended.status.error_code, ended.status.error_message) == (5, NO_MODEL + str(path))
    # It is forgotten: put back, it is new.
    publish(stubborn.folder / "vanishing", 2)
    stubborn.client.wait_for("vanishing", v1="AVAILABLE", v2="AVAILABLE")


def test_without_a_retry_it_does_not_pause(changing: Scene, publish: Publish) -> None:
    """The default would take five minutes."""
    changing.serve(publish, "hopeless")
    path = changing.folder / "hopeless" / "2"
    path.mkdir()
    changing.client.wait_for("hopeless", v1="AVAILABLE", v2="END")
    ended = status(changing, "hopeless", 2)
    assert (ended.status.error_code, ended.status.error_message) == (5, NO_MODEL + str(path))


def test_a_failed_version_is_left_alone_and_a_higher_one_is_loaded(changing: Scene, publish: Publish) -> None:
    changing.serve(publish, "surpassed")
    base_path, failure = changing.folder / "surpassed", attempt("surpassed", 2)
    (base_path / "2").mkdir()
    changing.client.wait_for("surpassed", v2="END")
    publish(base_path, 3)
    changing.client.wait_for("surpassed", v1="END", v2="END", v3="AVAILABLE")
    assert changing.said.count(failure) == 1
    # Its turn comes again only after it was not wanted for a while: now it fails once more.
    shutil.rmtree(base_path / "3")
    changing.wait_for_log(failure, times=2)
    changing.client.wait_for("surpassed", v2="END", v3="AVAILABLE")
    assert changing.client.ask("surpassed", 4) == (3, 5)


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
    # With a negative pause, which is none: the default would take five minutes.
    ended = run_model_server(config, "--load_retry_interval_micros=-1")
    assert ended.returncode == 255
    assert ended.stderr.count(attempt("toy", 9)) == 6
    assert "1 servable(s) did not become available: {{{name: toy version: 9} due to error: NOT_FOUND: " in ended.stdout
