"""The process: command line, start-up errors, end."""

import signal
import subprocess
from pathlib import Path

import grpc
import pytest

from tests.model_server.client import Client
from tests.model_server.gate import running
from tests.model_server.toy import Publish
from tests.servers import (
    is_embedded,
    launch,
    model_server,
    run_model_server,
    wait_until_closed,
)

LABELLED = """
model_config_list {
  config { name: "toy" base_path: "BASE" model_platform: "tensorflow" version_labels { key: "stable" value: 1 } }
}
"""
TWICE = """
model_config_list {
  config { name: "toy" base_path: "BASE" model_platform: "tensorflow" }
  config { name: "toy" base_path: "BASE" model_platform: "tensorflow" }
}
"""
BOTH_KINDS = 'model_config_list { config { name: "toy" base_path: "BASE" model_platform: "tensorflow" model_type: 1 } }'


def failure(*flags: str) -> str:
    """What standard output says after `Failed to start server. Error: `; the exit status must be 255."""
    ended = run_model_server(*flags)
    assert ended.returncode == 255, ended.stderr
    _, found, message = ended.stdout.partition("Failed to start server. Error: ")
    assert found, ended.stdout
    return message.rstrip("\n")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        pytest.param(
            ["--port=0", "--model_base_path=/nowhere"],
            "INVALID_ARGUMENT: At least one of server_options.grpc_port or server_options.grpc_socket_path must be "
            "set.",
            id="no listener",
        ),
        pytest.param(
            [],
            "INVALID_ARGUMENT: Both server_options.model_base_path and server_options.model_config_file are empty!",
            id="no model",
        ),
        pytest.param(
            ["--model_base_path=/nowhere", "--batching_parameters_file=/nowhere"],
            "INVALID_ARGUMENT: server_options.batching_parameters_file is set without setting "
            "server_options.enable_batching to true.",
            id="batching file without batching",
        ),
        pytest.param(
            [
                "--model_base_path=/nowhere",
                "--tensorflow_session_parallelism=1",
                "--tensorflow_intra_op_parallelism=1",
                "--tensorflow_inter_op_parallelism=1",
            ],
            "INVALID_ARGUMENT: Either configure server_options.tensorflow_session_parallelism or "
            "(server_options.tensorflow_intra_op_parallelism, server_options.tensorflow_inter_op_parallelism) "
            "separately. You cannot configure all.",
            id="two ways to set the threads",
        ),
        pytest.param(
            ["--model_config_file=/nowhere/models.config"],
            "NOT_FOUND: /nowhere/models.config; No such file or directory",
            id="no configuration file",
        ),
        pytest.param(
            ["--model_base_path=relative/path"],
            "INVALID_ARGUMENT: Expected model default to have an absolute path or URI; got base_path()=relative/path",
            id="relative base path",
        ),
    ],
)
def test_flags_that_fail_the_start(flags: list[str], message: str) -> None:
    assert failure(*flags) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "INVALID_ARGUMENT: FILE; Invalid argument", id="an empty file"),
        pytest.param(
            "model_config_list { config { nmae: 'x' } }", "INVALID_ARGUMENT: Invalid protobuf file: 'FILE'", id="a typo"
        ),
        pytest.param(
            TWICE, "INVALID_ARGUMENT: Illegal to list model toy multiple times in config list", id="a name twice"
        ),
        pytest.param(
            'model_config_list { config { name: "toy" base_path: "BASE" model_platform: "onnx" } }',
            "INVALID_ARGUMENT: Model toy requests unsupported platform onnx",
            id="another platform",
        ),
        pytest.param(
            'model_config_list { config { name: "toy" base_path: "BASE" } }',
            "INVALID_ARGUMENT: Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            "ModelServerConfig::model_platform, model name is toy",
            id="no platform",
        ),
        pytest.param(
            BOTH_KINDS,
            "INVALID_ARGUMENT: Illegal setting both ModelServerConfig::model_type (deprecated) and "
            "ModelServerConfig::model_platform, model name is toy",
            id="platform and type",
        ),
        pytest.param(
            LABELLED,
            "FAILED_PRECONDITION: Request to assign label to version 1 of model toy, which is not currently available "
            "for inference",
            id="a label before anything is loaded",
        ),
    ],
)
def test_configurations_that_fail_the_start(tmp_path: Path, text: str, message: str) -> None:
    config = tmp_path / "models.config"
    config.write_text(text.replace("BASE", str(tmp_path)))
    assert failure(f"--model_config_file={config}") == message.replace("FILE", str(config))


def test_a_typo_in_the_configuration_is_named_on_standard_error(tmp_path: Path) -> None:
    config = tmp_path / "models.config"
    config.write_text("model_config_list { config { nmae: 'x' } }")
    ended = run_model_server(f"--model_config_file={config}")
    assert "Error parsing text-format tensorflow.serving.ModelServerConfig" in ended.stderr
    assert "nmae" in ended.stderr


def test_a_broken_only_version_fails_the_start(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    message = failure("--model_name=toy", f"--model_base_path={tmp_path}", "--max_num_load_retries=0")
    assert message == (
        "UNKNOWN: 1 servable(s) did not become available: {{{name: toy version: 1} due to error: NOT_FOUND: "
        "Specified file path does not appear to contain a SavedModel bundle (should have a file called "
        f"`saved_model.pb`)\nSpecified file path: {tmp_path}/1}}, }}"
    )


@pytest.mark.parametrize(
    "flag",
    [
        pytest.param("--port=85o0", id="an int that is none"),
        pytest.param("--port=12x", id="an int with a tail"),
        pytest.param("--port=", id="no value"),
        pytest.param("--enable_batching=yes", id="a bool that is none"),
        pytest.param("--per_process_gpu_memory_fraction=half", id="a float that is none"),
        pytest.param("--help", id="help"),
    ],
)
def test_prints_the_usage_and_ends(flag: str) -> None:
    ended = run_model_server(flag)
    assert ended.returncode == 255
    assert ended.stdout.startswith("usage: ")
    assert "--model_config_file=" in ended.stdout


def test_prints_its_versions() -> None:
    ended = run_model_server("--version")
    assert ended.returncode == 0
    server, library = ended.stdout.splitlines()
    assert server.startswith("TensorFlow ModelServer: 2.")
    assert library.startswith("TensorFlow Library: 2.")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--no_such_flag=1"], id="an unknown flag"),
        pytest.param(["--model_name", "toy"], id="a value in a word of its own"),
        pytest.param(["word", "--help"], id="help after another word"),
        pytest.param(["--", "--port=12x"], id="everything after a bare --"),
    ],
)
def test_unknown_words_are_named_and_do_not_stop_the_start(words: list[str]) -> None:
    ended = run_model_server("--port=0", *words)
    assert f"unknown argument: {words[0]}\nusage: " in ended.stdout
    assert "Failed to start server. Error: INVALID_ARGUMENT: At least one of" in ended.stdout


def test_the_last_of_two_equal_flags_counts() -> None:
    assert failure("--port=8500", "--port=0", "--model_base_path=/nowhere").startswith("INVALID_ARGUMENT: At least one")


def test_listens_on_a_unix_socket_and_finishes_what_runs_on_sigterm(tmp_path: Path, publish: Publish) -> None:
    if not is_embedded():
        pytest.skip("the stock server is cut off by SIGTERM")
    publish(tmp_path, 1)
    path = tmp_path / "grpc.socket"
    with model_server("--model_name=toy", f"--model_base_path={tmp_path}", f"--grpc_socket_path={path}") as server:
        client = Client(f"unix:{path}")
        with running(client, tmp_path / "pipe") as request:
            server.process.send_signal(signal.SIGTERM)
            wait_until_closed(server.grpc_port)
            request.finish()
        assert server.process.wait() == 0
        with pytest.raises(grpc.RpcError) as caught:
            client.ask("toy", 4)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        client.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_it_while_it_waits(tmp_path: Path, number: signal.Signals) -> None:
    if not is_embedded():
        pytest.skip("the stock server has no handler: a signal kills it")
    with launch(f"--model_base_path={tmp_path / 'later'}", stderr=subprocess.PIPE) as server:
        assert server.process.stderr
        assert any("Could not find base path" in line for line in server.process.stderr)
        server.process.send_signal(number)
        assert server.process.wait() == 0
