"""Versions that cannot be loaded: the reason is told, the old version serves on, the process lives.

One server; each case is a version of its own.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from tensorflow.core.protobuf import saved_model_pb2

from tests.model_server.client import Client, predict_request
from tests.model_server.conftest import Publish
from tests.servers import model_server


@pytest.fixture(scope="module")
def base_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("broken")


@pytest.fixture(scope="module")
def client(base_path: Path, publish: Publish) -> Iterator[Client]:
    publish(base_path, 1)
    with model_server("--model_name=broken", f"--model_base_path={base_path}", "--max_num_load_retries=0") as server:
        connection = Client(server.address)
        yield connection
        connection.close()


def empty(directory: Path) -> None:
    """Nothing was copied yet."""
    shutil.rmtree(directory)
    directory.mkdir()


def truncated(directory: Path) -> None:
    """The graph was cut off."""
    graph = directory / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:-100])


def without_values(directory: Path) -> None:
    """The index of the variables arrived, the values did not."""
    (directory / "variables" / "variables.data-00000-of-00001").unlink()


def plain_file(directory: Path) -> None:
    """No directory at all."""
    shutil.rmtree(directory)
    directory.write_text("7")


NO_BUNDLE = (
    "Specified file path does not appear to contain a SavedModel bundle (should have a file called "
    "`saved_model.pb`)\nSpecified file path: PATH"
)


def session_bundle(directory: Path) -> None:
    """The format before SavedModel."""
    (directory / "export.meta").write_bytes(b"")


def other_tags(directory: Path) -> None:
    """A MetaGraph with more tags than asked for."""
    graph = directory / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(graph.read_bytes())
    model.meta_graphs[0].meta_info_def.tags.append("gpu")
    graph.write_bytes(model.SerializeToString())


def unknown_op(directory: Path) -> None:
    """An op of a library that is not linked."""
    graph = directory / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(graph.read_bytes())
    model.meta_graphs[0].graph_def.node.add(name="odd", op="Frobnicate")
    graph.write_bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("number", "damage", "code", "start"),
    [
        (11, empty, 5, NO_BUNDLE),
        (12, truncated, 15, "Can't parse PATH/saved_model.pb as binary proto"),
        (13, without_values, 5, "PATH/variables/variables.data-00000-of-00001; No such file or directory"),
        (
            14,
            plain_file,
            9,
            "Error while attempting to reserve resources to load servable {name: broken version: 14}: "
            "PATH; Not a directory",
        ),
        (15, session_bundle, 12, "Session Bundle is deprecated and removed."),
        (
            16,
            other_tags,
            5,
            "Could not find meta graph def matching supplied tags: { serve }. To inspect available tag-sets in the "
            "SavedModel, please use the SavedModel CLI: `saved_model_cli`",
        ),
        (17, unknown_op, 5, "Op type not registered 'Frobnicate' in binary running on "),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_version_that_cannot_be_loaded_ends_with_the_reason_and_the_old_one_serves_on(
    client: Client, base_path: Path, number: int, damage: Callable[[Path], None], code: int, start: str
) -> None:
    incoming = Path(shutil.copytree(base_path / "1", base_path / "incoming"))
    damage(incoming)
    incoming.rename(base_path / str(number))
    client.wait_for("broken", **{f"v{number}": "END"})
    (ended,) = client.status(name="broken", version=number)
    assert ended.status.error_code == code
    assert ended.status.error_message.startswith(start.replace("PATH", str(base_path / str(number))))
    assert client.ask("broken", 4) == (1, 3)


def test_a_failed_version_is_tried_again_once_it_was_away(client: Client, base_path: Path, publish: Publish) -> None:
    (base_path / "20").mkdir()
    client.wait_for("broken", v20="END")
    (base_path / "20").rename(base_path / "taken-away")
    publish(base_path, 19)
    # Seen by the poll that misses 20: 19 is the highest now.
    client.wait_for("broken", v19="AVAILABLE")
    shutil.copytree(base_path / "1", base_path / "incoming")
    (base_path / "incoming").rename(base_path / "20")
    client.wait_for("broken", v19="END", v20="AVAILABLE")


def test_variables_that_are_missing_fail_the_first_request_not_the_load(client: Client, base_path: Path) -> None:
    incoming = Path(shutil.copytree(base_path / "1", base_path / "incoming"))
    shutil.rmtree(incoming / "variables")
    incoming.rename(base_path / "30")
    client.wait_for("broken", v30="AVAILABLE")
    with pytest.raises(grpc.RpcError) as caught:
        client.ask("broken", 4)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details().startswith("Could not find variable ")
    (text,) = (
        client.predict(predict_request({"text": [b"a"]}, name="broken", signature_name="text"))
        .outputs["upper"]
        .string_val
    )
    assert text == b"A"
