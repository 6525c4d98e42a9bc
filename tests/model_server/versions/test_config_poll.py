"""--model_config_file_poll_wait_seconds: the file is applied again and again, and its mistakes are survived."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_server.scene import Scene, configure, listed, model, scene, write
from tests.model_server.toy import Publish

UNREADABLE = "Failed to read ModelServerConfig file: "
REFUSED = "PollFilesystemAndReloadConfig failed to ReloadConfig: "


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[Scene]:
    """A server that reads its file every second."""
    folder = tmp_path_factory.mktemp("polled")
    with scene(
        folder, configure(folder, publish, "toy"), "--model_config_file_poll_wait_seconds=1", "--max_num_load_retries=0"
    ) as found:
        yield found


@pytest.fixture
def file(polled: Scene) -> Iterator[Path]:
    """The configuration file; put right again after the test."""
    file = polled.folder / "models.config"
    yield file
    write(file, listed(model("toy", polled.folder / "toy")))
    polled.client.wait_for("toy", v1="AVAILABLE")


def test_a_model_that_is_written_into_the_file_is_served_until_it_is_taken_out(
    polled: Scene, file: Path, publish: Publish
) -> None:
    publish(polled.base_path("added"), 1)
    fixed = model("toy", polled.folder / "toy")
    write(file, listed(fixed, model("added", polled.folder / "added")))
    polled.client.wait_for("added", v1="AVAILABLE")
    write(file, listed(fixed))
    polled.client.wait_for("added", v1="END")
    assert polled.client.ask("toy", 4) == (1, 3)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("model_config_list { config { nmae: 'x' } }", UNREADABLE + "Invalid protobuf file: '", id="typo"),
        pytest.param("", UNREADABLE + "FILE; Invalid argument", id="no bytes"),
        pytest.param("\n# nothing\n", REFUSED + "Cannot transition to requested config.", id="only a comment"),
        pytest.param("custom_model_config {}", REFUSED + "Cannot transition to requested config.", id="a custom one"),
        pytest.param(
            "model_config_list { config { name: 'x' base_path: 'y' model_platform: 'tensorflow' } }",
            REFUSED + "Expected model x to have an absolute path or URI; got base_path()=y",
            id="relative base path",
        ),
    ],
)
def test_a_mistake_in_the_file_is_logged_at_each_reading_and_changes_nothing(
    polled: Scene, file: Path, text: str, complaint: str
) -> None:
    complaint = complaint.replace("FILE", str(file))
    before = polled.said.count(complaint)
    write(file, text)
    polled.wait_for_log(complaint, times=before + 2)
    assert polled.client.ask("toy", 4) == (1, 3)


def test_a_typo_is_shown_on_standard_error(polled: Scene, file: Path) -> None:
    write(file, "model_config_list { config { nmea: 'x' } }")
    polled.wait_for_log("nmea")
    assert "Error parsing text-format tensorflow.serving.ModelServerConfig" in polled.said


def test_a_missing_file_is_logged_and_changes_nothing(polled: Scene, file: Path) -> None:
    file.unlink()
    polled.wait_for_log(f"{UNREADABLE}{file}; No such file or directory", times=2)
    assert polled.client.ask("toy", 4) == (1, 3)


def test_a_model_that_fails_is_logged_and_the_others_serve(polled: Scene, file: Path, publish: Publish) -> None:
    (polled.base_path("broken") / "1").mkdir()
    publish(polled.base_path("good"), 1)
    models = [model(name, polled.folder / name) for name in ("toy", "broken", "good")]
    write(file, listed(*models))
    polled.wait_for_log(f"{REFUSED}1 model(s) did not become available: {{{{{{name: broken version: 1}} due to error: ")
    assert polled.client.ask("good", 4) == (1, 3)
    shutil.rmtree(polled.folder / "broken")
    # The base path of `broken` is gone: no new versions for anybody, but the file still takes it out.
    write(file, listed(models[0]))
    polled.client.wait_for("good", v1="END")


def test_the_file_wins_over_an_earlier_request(polled: Scene, file: Path, publish: Publish) -> None:
    publish(polled.base_path("asked"), 1)
    polled.reload(model("toy", polled.folder / "toy"), model("asked", polled.folder / "asked"))
    polled.client.wait_for("asked", v1="END")
    assert polled.client.ask("toy", 4) == (1, 3)
