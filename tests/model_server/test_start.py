"""What a start makes of its configuration file: what is legal, what is fatal, and which of two mistakes is named."""

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from tests.model_server.client import predict_request
from tests.model_server.scene import Scene, listed, model, scene, write
from tests.model_server.toy import Publish
from tests.servers import run_model_server

PREFIX = "Failed to start server. Error: "


def failure(*flags: str) -> str:
    """Status and message of a start that fails; the exit status must be 255."""
    ended = run_model_server(*flags)
    assert ended.returncode == 255, ended.stderr
    _, found, message = ended.stdout.partition(PREFIX)
    assert found, ended.stdout
    return message.rstrip("\n")


def with_logging(config: ModelConfig) -> ModelConfig:
    config.logging_config.SetInParent()
    return config


# Ways to write a model into a configuration, by the model's name. A start without any is a matter of test_reload_start.
FORMS = {
    "separated": 'config: { name: "separated", base_path: "BASE"; model_platform: "tensorflow" }',
    "quoted": "config { name: 'quoted' base_path: 'BA' 'SE' model_platform: 'tensorflow' } # comment\n",
    "uri": "config { name: 'uri' base_path: 'file://BASE' model_platform: 'tensorflow' }",
    "angled": "config < name: 'angled' base_path: 'BASE' model_platform: 'tensorflow' >",
    "bracketed": "config: [{ name: 'bracketed' base_path: 'BASE' model_platform: 'tensorflow' }, "
    "{ name: 'by type' base_path: 'BASE' model_type: TENSORFLOW }]",
    "labelled": "config { name: 'labelled' base_path: 'BASE' model_platform: 'tensorflow' "
    "version_labels { key: 'stable' value: 1 } }",
}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[Scene]:
    """A server with all of FORMS, that looks at the disk only once; flags name another model."""
    folder = tmp_path_factory.mktemp("started")
    (folder / "base").mkdir()
    publish(folder / "base", 1)
    # The two halves of BASE may stand apart.
    half = len(str(folder))
    base = str(folder / "base")
    text = f"model_config_list: {{ {' '.join(FORMS.values())} }}"
    text = text.replace("'BA' 'SE'", f"'{base[:half]}' '{base[half:]}'").replace("BASE", base)
    flags = ["--model_name=other", "--model_base_path=/nowhere", "--file_system_poll_wait_seconds=0"]
    flags.append("--allow_version_labels_for_unavailable_models=true")
    with scene(folder, write(folder / "models.config", "  # models\n" + text), *flags) as found:
        yield found


@pytest.mark.parametrize("name", [*FORMS, "by type"])
def test_a_legal_configuration(started: Scene, name: str) -> None:
    assert started.client.ask(name, 4) == (1, 3)


def test_flags_that_name_a_model_do_not_count_beside_a_file(started: Scene) -> None:
    assert started.client.states("other") == {}


def test_labels_at_start_need_their_flag(started: Scene) -> None:
    assert started.client.states("labelled") == {1: "AVAILABLE"}
    request = predict_request({"x": np.float32([4])}, name="labelled", version_label="stable")
    assert started.client.predict(request).outputs["y"].float_val == [3]


@pytest.mark.parametrize(
    ("models", "message"),
    [
        pytest.param(
            [model("x", "/a", model_platform="onnx"), model("x", "/b")],
            "INVALID_ARGUMENT: Illegal to list model x multiple times in config list",
            id="a name twice before a platform",
        ),
        pytest.param(
            [model("x", "a", labels={"l": 1})],
            "INVALID_ARGUMENT: Expected model x to have an absolute path or URI; got base_path()=a",
            id="a path before a label",
        ),
        pytest.param(
            [model("x", "/a", labels={"l": 1}, model_platform="onnx")],
            "FAILED_PRECONDITION: Request to assign label to version 1 of model x, which is not currently available "
            "for inference",
            id="a label before a platform",
        ),
        pytest.param(
            [model("x", "/a", model_platform="", model_type=2)],
            "INVALID_ARGUMENT: ModelServerConfig::model_type choice 2 not supported.",
            id="another type",
        ),
    ],
)
def test_the_first_mistake_is_named(tmp_path: Path, models: list[ModelConfig], message: str) -> None:
    assert failure(write(tmp_path / "models.config", listed(*models))) == message


def test_request_logging_fails_the_start_after_the_models_are_loaded(tmp_path: Path, publish: Publish) -> None:
    (tmp_path / "toy").mkdir()
    publish(tmp_path / "toy", 1)
    flag = write(tmp_path / "models.config", listed(with_logging(model("toy", tmp_path / "toy"))))
    ended = run_model_server(flag)
    assert ended.returncode == 255
    assert ended.stdout.endswith(PREFIX + "INVALID_ARGUMENT: No request-logger-creator provided.\n")
    assert "Successfully loaded servable version {name: toy version: 1}" in ended.stderr


def test_a_custom_configuration_aborts(tmp_path: Path) -> None:
    ended = run_model_server(write(tmp_path / "models.config", "custom_model_config {}"))
    assert ended.returncode == -signal.SIGABRT


def test_a_directory_is_no_configuration(tmp_path: Path) -> None:
    assert failure(f"--model_config_file={tmp_path}") == f"NOT_FOUND: {tmp_path}; No such device"
