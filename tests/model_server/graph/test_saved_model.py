"""Versions that cannot be loaded: the reason is told, the old version serves on, the process lives."""

import shutil
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from tensorflow.core.protobuf import saved_model_pb2

from tests.model_server.client import predict_request
from tests.model_server.scene import Scene
from tests.model_server.toy import Publish


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


# How version 2 of a model is damaged; the error code and how the message begins.
DAMAGES: dict[Callable[[Path], None], tuple[int, str]] = {
    empty: (5, NO_BUNDLE),
    truncated: (15, "Can't parse PATH/saved_model.pb as binary proto"),
    without_values: (5, "PATH/variables/variables.data-00000-of-00001; No such file or directory"),
    plain_file: (
        9,
        "Error while attempting to reserve resources to load servable {name: plain_file version: 2}: "
        "PATH; Not a directory",
    ),
    session_bundle: (12, "Session Bundle is deprecated and removed."),
    other_tags: (
        5,
        "Could not find meta graph def matching supplied tags: { serve }. To inspect available tag-sets in the "
        "SavedModel, please use the SavedModel CLI: `saved_model_cli`",
    ),
    unknown_op: (5, "Op type not registered 'Frobnicate' in binary running on "),
}


@pytest.fixture(scope="module")
def stage(changing: Scene, publish: Publish) -> Scene:
    """A server with a model for each damage, whose version 1 is whole and whose version 2 has come just now."""
    changing.serve(publish, "retried", "unrestored", *(damage.__name__ for damage in DAMAGES))
    whole = changing.base_path("whole")
    for damage in DAMAGES:
        incoming = publish(whole, 2)
        damage(incoming)
        incoming.rename(changing.folder / damage.__name__ / "2")
    return changing


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_version_that_cannot_be_loaded_ends_with_the_reason_and_the_old_one_serves_on(
    stage: Scene, damage: Callable[[Path], None]
) -> None:
    name = damage.__name__
    code, start = DAMAGES[damage]
    stage.client.wait_for(name, v1="AVAILABLE", v2="END")
    (ended,) = stage.client.status(name=name, version=2)
    assert ended.status.error_code == code
    assert ended.status.error_message.startswith(start.replace("PATH", str(stage.folder / name / "2")))
    assert stage.client.ask(name, 4) == (1, 3)


def test_a_failed_version_is_tried_again_once_it_was_away(stage: Scene, publish: Publish) -> None:
    base_path = stage.folder / "retried"
    (base_path / "20").mkdir()
    stage.client.wait_for("retried", v20="END")
    (base_path / "20").rename(base_path / "taken-away")
    publish(base_path, 3)
    # Seen by the poll that misses 20: 3 is the highest now.
    stage.client.wait_for("retried", v3="AVAILABLE")
    shutil.copytree(base_path / "1", base_path / "incoming")
    (base_path / "incoming").rename(base_path / "20")
    stage.client.wait_for("retried", v3="END", v20="AVAILABLE")


def test_variables_that_are_missing_fail_the_first_request_not_the_load(stage: Scene, publish: Publish) -> None:
    incoming = publish(stage.base_path("bare"), 2)
    shutil.rmtree(incoming / "variables")
    incoming.rename(stage.folder / "unrestored" / "2")
    stage.client.wait_for("unrestored", v2="AVAILABLE")
    with pytest.raises(grpc.RpcError) as caught:
        stage.client.ask("unrestored", 4)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details().startswith("Could not find variable ")
    request = predict_request({"text": [b"a"]}, name="unrestored", signature_name="text")
    assert stage.client.predict(request).outputs["upper"].string_val == [b"A"]
