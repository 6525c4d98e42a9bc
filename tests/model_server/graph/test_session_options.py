"""The thread pools of sessions, and the file that may set more."""

from pathlib import Path

import pytest

from model_server import command_line
from model_server.command_line import Options
from model_server.graph.session_options import session_config
from serving_config import command
from serving_config.files import ConfigFiles
from tests.model_server.client import Client
from tests.servers import run_model_server

CPUS = 6


@pytest.mark.parametrize(
    ("file", "flags", "threads"),
    [
        pytest.param("", {}, (1, CPUS), id="nothing set"),
        pytest.param("", {"tensorflow_session_parallelism": 3}, (3, 3), id="both by one flag"),
        pytest.param("", {"tensorflow_intra_op_parallelism": 3}, (3, CPUS), id="within ops"),
        pytest.param("", {"tensorflow_inter_op_parallelism": 3}, (1, 3), id="between ops"),
        pytest.param(
            "", {"tensorflow_session_parallelism": 3, "tensorflow_inter_op_parallelism": 2}, (3, 2), id="one and both"
        ),
        pytest.param("intra_op_parallelism_threads: 4", {}, (4, CPUS), id="a file"),
        pytest.param(
            "intra_op_parallelism_threads: 4 inter_op_parallelism_threads: 5",
            {"tensorflow_intra_op_parallelism": 2},
            (2, 5),
            id="a flag goes before the file",
        ),
    ],
)
def test_threads(tmp_path: Path, file: str, flags: dict[str, int], threads: tuple[int, int]) -> None:
    path = ""
    if file:
        (tmp_path / "session.config").write_text(file)
        path = str(tmp_path / "session.config")
    config = session_config(Options(tensorflow_session_config_file=path, **flags), CPUS)
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == threads


@pytest.mark.parametrize(
    ("flags", "pools"),
    [
        pytest.param({}, [1] * CPUS, id="by default a run stays on one thread of one a core"),
        pytest.param({"tensorflow_intra_op_parallelism": 3}, [1] * CPUS, id="whatever is set within ops"),
        pytest.param({"tensorflow_inter_op_parallelism": 3}, [], id="one pool of as many threads as the flag says"),
        pytest.param({"tensorflow_session_parallelism": 3}, [], id="by either flag"),
    ],
)
def test_pools(flags: dict[str, int], pools: list[int]) -> None:
    config = session_config(Options(**flags), CPUS)
    assert [pool.num_threads for pool in config.session_inter_op_thread_pool] == pools


def test_start_leaves_a_run_on_one_thread(tmp_path: Path) -> None:
    """By its flags too: a lone row whose ops go to and fro between two threads costs a third more."""
    words = command.model_server(ConfigFiles(), tmp_path / "models.config", command.Ports(0, 1, 2))
    options = command_line.parse([word for word in words if word.startswith("--")]).options
    assert [pool.num_threads for pool in session_config(options, CPUS).session_inter_op_thread_pool] == [1] * CPUS


def test_the_file_sets_everything_else(tmp_path: Path) -> None:
    file = tmp_path / "session.config"
    file.write_text("allow_soft_placement: true  graph_options { place_pruned_graph: true }")
    config = session_config(Options(tensorflow_session_config_file=str(file)), CPUS)
    assert config.allow_soft_placement
    assert config.graph_options.place_pruned_graph


def test_a_server_with_a_session_file(flagged_client: Client) -> None:
    assert flagged_client.ask("toy", 2) == (1, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("no_such_field: 1", "INVALID_ARGUMENT: Invalid protobuf file: '{file}'", id="does not parse"),
        pytest.param(None, "NOT_FOUND: {file}; No such file or directory", id="missing"),
    ],
)
def test_a_bad_file_ends_the_start(tmp_path: Path, content: str | None, message: str) -> None:
    file = tmp_path / "session.config"
    if content is not None:
        file.write_text(content)
    flags = ["--port=1", f"--model_base_path={tmp_path}", f"--tensorflow_session_config_file={file}"]
    ended = run_model_server(*flags)
    assert f"Failed to start server. Error: {message.replace('{file}', str(file))}\n" in ended.stdout
    assert ended.returncode == 255
