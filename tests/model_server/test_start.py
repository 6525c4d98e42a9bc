"""What a start makes of its configuration file: what is legal, what is fatal, and which of two mistakes is named."""

import signal
from pathlib import Path

import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from tests.model_server.client import Client
from tests.model_server.conftest import Publish
from tests.model_server.scene import listed, model, scene, write
from tests.servers import launch, run_model_server, wait_until_ready

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


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("", [], id="only blanks and a comment"),
        pytest.param("model_config_list {}", [], id="an empty list"),
        pytest.param(
            'model_config_list: { config: { name: "a", base_path: "BASE"; model_platform: "tensorflow" } }',
            ["a"],
            id="colons, commas and semicolons",
        ),
        pytest.param(
            "model_config_list { config { name: 'a' base_path: 'BA' 'SE' model_platform: 'tensorflow' } # comment\n }",
            ["a"],
            id="single quotes, adjoining strings, a comment",
        ),
        pytest.param(
            "model_config_list < config: [{ name: 'a' base_path: 'BASE' model_platform: 'tensorflow' }, "
            "{ name: 'b' base_path: 'BASE' model_type: TENSORFLOW }] >",
            ["a", "b"],
            id="a list in brackets, angle brackets, an enum by name",
        ),
        pytest.param(
            "model_config_list { config { name: 'a' base_path: 'file://BASE' model_platform: 'tensorflow' } }",
            ["a"],
            id="a base path as URI",
        ),
    ],
)
def test_a_legal_configuration(tmp_path: Path, publish: Publish, text: str, names: list[str]) -> None:
    (tmp_path / "base").mkdir()
    publish(tmp_path / "base", 1)
    # The two halves of BASE may stand apart.
    half = len(str(tmp_path))
    base = str(tmp_path / "base")
    text = text.replace("'BA' 'SE'", f"'{base[:half]}' '{base[half:]}'").replace("BASE", base)
    with scene(tmp_path, write(tmp_path / "models.config", "  # models\n" + text)) as found:
        for name in names:
            assert found.client.ask(name, 4) == (1, 3)
        assert found.client.states("nobody") == {}


def test_flags_that_name_a_model_do_not_count_beside_a_file(tmp_path: Path, publish: Publish) -> None:
    (tmp_path / "toy").mkdir()
    publish(tmp_path / "toy", 1)
    flag = write(tmp_path / "models.config", listed(model("toy", tmp_path / "toy")))
    with scene(tmp_path, flag, "--model_name=other", "--model_base_path=/nowhere") as found:
        assert found.client.ask("toy", 4) == (1, 3)
        assert found.client.states("other") == {}


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


def test_labels_at_start_need_their_flag(tmp_path: Path, publish: Publish) -> None:
    (tmp_path / "toy").mkdir()
    publish(tmp_path / "toy", 1)
    flag = write(tmp_path / "models.config", listed(model("toy", tmp_path / "toy", labels={"stable": 1})))
    with scene(tmp_path, flag, "--allow_version_labels_for_unavailable_models=true") as found:
        assert found.client.states("toy") == {1: "AVAILABLE"}


def test_a_server_that_looks_once_serves_what_it_found(tmp_path: Path, publish: Publish) -> None:
    publish(tmp_path, 1)
    with launch("--model_name=toy", f"--model_base_path={tmp_path}", "--file_system_poll_wait_seconds=0") as server:
        wait_until_ready(server)
        client = Client(server.address)
        assert client.ask("toy", 4) == (1, 3)
        client.close()
