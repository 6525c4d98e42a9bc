"""What counts as a version on disk, and what a base path that is missing, empty or odd does."""

import shutil

import numpy as np
import pytest
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

from tests.model_server.client import predict_request
from tests.model_server.gate import running
from tests.model_server.scene import MISSING, Scene, model
from tests.model_server.toy import Publish

MODELS = {
    "twice": "",
    "twice-specific": "specific { versions: 7 }",
    "file": "all {}",
    "half": "all {}",
    "stuck": "",
    "returns": f"specific {{ versions: 1 versions: 2 versions: {MISSING} }}",
    "damaged": "",
    "numbers": "all {}",
    "witness": "",
}
# Directories that are versions, by their number.
NUMBERS = {123: "00000123", 8: " 8", 9: "9 ", 10: " 10 ", 6: "+6", -5: "-5", 0: "0", 2**63 - 1: "9223372036854775807"}


@pytest.fixture(scope="module")
def stage(changing: Scene, publish: Publish) -> Scene:
    """A server with one model a case, each under its own base path with version 1."""
    folder = changing.folder
    for name in MODELS:
        publish(changing.base_path(name), 1)
    # The policy of this one wants another version than the others have.
    (folder / "twice-specific" / "1").rename(folder / "twice-specific" / "7")
    changing.reload(*(model(name, folder / name, policy) for name, policy in MODELS.items()))
    for version, name in NUMBERS.items():
        publish(changing.base_path(f"for {version}"), 2).rename(folder / "numbers" / name)
    return changing


def status(stage: Scene, name: str, version: int) -> ModelVersionStatus:
    (one,) = stage.client.status(name=name, version=version)
    return one


def look_again(stage: Scene, publish: Publish) -> None:
    """Returns when the server has looked at every base path since the call: one look covers all models."""
    newest = max(int(path.name) for path in (stage.folder / "witness").iterdir())
    publish(stage.folder, 1).rename(stage.folder / "witness" / str(newest + 1))
    stage.client.wait_for("witness", **{f"v{newest + 1}": "AVAILABLE"})


def test_of_two_names_for_one_number_the_last_one_is_used(stage: Scene, publish: Publish) -> None:
    base_path = stage.folder / "twice"
    # Version 5 of the toy is called 007, version 6 of it 7: the last by name. Both appear at one moment.
    hidden = stage.base_path("hidden")
    publish(hidden, 5).rename(hidden / "007")
    publish(hidden, 6).rename(hidden / "7")
    (base_path / "1").rename(hidden / "1")
    base_path.rmdir()
    hidden.rename(base_path)
    stage.client.wait_for("twice", v7="AVAILABLE")
    assert stage.client.ask("twice", 4) == (7, 8)


def test_a_specific_version_prefers_its_plain_name(stage: Scene, publish: Publish) -> None:
    """`7 ` comes after `7` by name."""
    base_path = stage.folder / "twice-specific"
    publish(base_path, 2).rename(base_path / "7 ")
    look_again(stage, publish)
    assert stage.client.ask("twice-specific", 4) == (7, 3)
    # Gone and back, so that the choice is made between the two.
    base_path.rename(stage.folder / "away")
    (stage.folder / "twice-specific").mkdir()
    stage.client.wait_for("twice-specific", v7="END")
    (stage.folder / "twice-specific").rmdir()
    (stage.folder / "away").rename(base_path)
    stage.client.wait_for("twice-specific", v7="AVAILABLE")
    assert stage.client.ask("twice-specific", 4) == (7, 3)


def test_a_plain_file_with_a_number_for_a_name_is_a_version_that_fails(stage: Scene) -> None:
    path = stage.folder / "file" / "7"
    path.write_text("no directory")
    stage.client.wait_for("file", v1="AVAILABLE", v7="END")
    ended = status(stage, "file", 7)
    assert ended.status.error_code == 9
    assert ended.status.error_message == (
        "Error while attempting to reserve resources to load servable {name: file version: 7}: "
        f"{path}; Not a directory"
    )
    assert stage.client.ask("file", 4) == (1, 3)


def test_a_half_copied_directory_is_taken_fails_and_is_not_tried_again(stage: Scene, publish: Publish) -> None:
    target = stage.folder / "half" / "2"
    whole = publish(stage.base_path("whole"), 2)
    target.mkdir()
    stage.client.wait_for("half", v1="AVAILABLE", v2="END")
    assert "does not appear to contain a SavedModel bundle" in status(stage, "half", 2).status.error_message
    shutil.copytree(whole, target, dirs_exist_ok=True)
    look_again(stage, publish)
    look_again(stage, publish)
    assert stage.client.states("half") == {1: "AVAILABLE", 2: "END"}
    assert stage.client.ask("half", 4) == (1, 3)
    # Once it was away for a look, it is a new version.
    target.rename(stage.folder / "half" / "incoming")
    look_again(stage, publish)
    (stage.folder / "half" / "incoming").rename(target)
    stage.client.wait_for("half", v1="AVAILABLE", v2="AVAILABLE")
    assert status(stage, "half", 2).status.error_code == 0


def test_a_failed_latest_version_keeps_the_old_one_and_goes_only_for_a_higher_one(
    stage: Scene, publish: Publish
) -> None:
    """The old version serves although it is not wanted, so it cannot be wanted again before it is unloaded, and it is
    not unloaded before another one serves: with `latest`, a failed version cannot be taken back and put right."""
    (stage.folder / "stuck" / "2").mkdir()
    stage.client.wait_for("stuck", v1="AVAILABLE", v2="END")
    (stage.folder / "stuck" / "2").rmdir()
    look_again(stage, publish)
    publish(stage.folder / "stuck", 2)
    look_again(stage, publish)
    look_again(stage, publish)
    assert stage.client.states("stuck") == {1: "AVAILABLE", 2: "END"}
    assert stage.client.ask("stuck", 4) == (1, 3)
    publish(stage.folder / "stuck", 3)
    stage.client.wait_for("stuck", v1="END", v2="END", v3="AVAILABLE")
    # From here on it is as usual: version 2 is wanted for the first time since it failed.
    shutil.rmtree(stage.folder / "stuck" / "3")
    stage.client.wait_for("stuck", v2="AVAILABLE", v3="END")


def test_a_version_that_comes_back_while_it_is_unloaded_is_loaded_afterwards(stage: Scene, publish: Publish) -> None:
    base_path = stage.folder / "returns"
    publish(base_path, 2)
    stage.client.wait_for("returns", v1="AVAILABLE", v2="AVAILABLE")
    with running(stage.client, stage.folder / "pipe", name="returns", version=2) as request:
        (base_path / "2").rename(stage.folder / "aside")
        stage.client.wait_for("returns", v2="UNLOADING")
        (stage.folder / "aside").rename(base_path / "2")
        stage.wait_for_look("returns")
        assert stage.client.ask("returns", 4) == (1, 3)
        request.finish()
    stage.client.wait_for("returns", v1="AVAILABLE", v2="AVAILABLE")


def test_a_damaged_version_leaves_the_old_one_serving(stage: Scene, publish: Publish) -> None:
    base_path = stage.folder / "damaged"
    copied = publish(stage.base_path("copies"), 2)
    content = (copied / "saved_model.pb").read_bytes()
    (copied / "saved_model.pb").write_bytes(content[: len(content) // 2])
    copied.rename(base_path / "2")
    stage.client.wait_for("damaged", v1="AVAILABLE", v2="END")
    assert status(stage, "damaged", 2).status.error_code != 0
    assert stage.client.ask("damaged", 4) == (1, 3)
    copied = publish(stage.folder / "copies", 3)
    data = next((copied / "variables").glob("variables.data-*"))
    data.write_bytes(data.read_bytes()[:-1])
    copied.rename(base_path / "3")
    stage.client.wait_for("damaged", v1="AVAILABLE", v3="END")
    assert status(stage, "damaged", 3).status.error_code != 0
    publish(base_path, 4)
    stage.client.wait_for("damaged", v1="END", v4="AVAILABLE")
    assert stage.server.process.poll() is None


@pytest.mark.parametrize("version", NUMBERS, ids=[repr(name) for name in NUMBERS.values()])
def test_a_name_that_is_a_number_is_a_version(stage: Scene, version: int) -> None:
    stage.client.wait_for("numbers", **{f"v{version}": "AVAILABLE"})
    answer = stage.client.predict(predict_request({"x": np.float32([4])}, name="numbers", version=version))
    assert answer.model_spec.version.value == version
    assert answer.outputs["y"].float_val == [4]


def test_other_names_are_no_versions(stage: Scene, publish: Publish) -> None:
    for name in ("1.0", "v3", "4_tmp", "0x10", "9223372036854775808", "1e2", "- 4", "++4", "1 2", "٣"):
        (stage.folder / "numbers" / name).mkdir()
    look_again(stage, publish)
    assert stage.client.states("numbers") == dict.fromkeys([1, *NUMBERS], "AVAILABLE")
