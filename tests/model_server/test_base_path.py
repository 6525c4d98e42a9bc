"""Base paths that vanish, stay empty, or are none: what is loaded stays, and the process lives."""

import shutil
import socket
from pathlib import Path

import pytest

from tests.model_server.conftest import Publish
from tests.model_server.scene import configure, scene, unready_scene
from tests.servers import wait_until_ready


def test_a_base_path_that_vanishes_freezes_all_models_and_loses_none(tmp_path: Path, publish: Publish) -> None:
    with scene(tmp_path, configure(tmp_path, publish, "gone", "other")) as found:
        (tmp_path / "gone").rename(tmp_path / "away")
        complaint = (
            "FileSystemStoragePathSource encountered a filesystem access error: Could not find base path "
            f"{tmp_path / 'gone'} for servable gone with error NOT_FOUND: {tmp_path / 'gone'} not found"
        )
        found.wait_for_log(complaint)
        publish(tmp_path / "other", 2)
        found.wait_for_log(complaint, times=3)
        assert found.client.states("gone") == {1: "AVAILABLE"}
        assert found.client.states("other") == {1: "AVAILABLE"}
        assert found.client.ask("gone", 4) == (1, 3)
        (tmp_path / "away").rename(tmp_path / "gone")
        found.client.wait_for("other", v1="END", v2="AVAILABLE")
        assert found.client.states("gone") == {1: "AVAILABLE"}


def test_an_empty_base_path_unloads_and_is_warned_about_at_each_look(tmp_path: Path, publish: Publish) -> None:
    (tmp_path / "toy").mkdir()
    publish(tmp_path / "toy", 1)
    with scene(tmp_path, "--model_name=toy", f"--model_base_path={tmp_path / 'toy'}") as found:
        shutil.rmtree(tmp_path / "toy" / "1")
        found.client.wait_for("toy", v1="END")
        warning = (
            f"No versions of servable toy found under base path {tmp_path / 'toy'}. "
            "Did you forget to name your leaf directory as a number (eg. '/1/')?"
        )
        found.wait_for_log(warning, times=3)
        publish(tmp_path / "toy", 1)
        found.client.wait_for("toy", v1="AVAILABLE")


@pytest.mark.parametrize("kind", ["missing", "empty", "a plain file"])
def test_a_base_path_without_a_version_keeps_the_ports_closed(tmp_path: Path, publish: Publish, kind: str) -> None:
    base_path = tmp_path / "later"
    complaint = f"Could not find base path {base_path} for servable toy"
    if kind == "empty":
        base_path.mkdir()
        complaint = f"No versions of servable toy found under base path {base_path}."
    elif kind == "a plain file":
        base_path.write_text("no directory")
        complaint = f"FileSystemStoragePathSource encountered a filesystem access error: {base_path}; Not a directory"
    with unready_scene(tmp_path, "--model_name=toy", f"--model_base_path={base_path}") as waiting:
        waiting.wait_for_log(complaint, times=2)
        assert waiting.server.process.poll() is None
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", waiting.server.grpc_port))
        if kind == "a plain file":
            base_path.unlink()
        base_path.mkdir(exist_ok=True)
        publish(base_path, 1)
        wait_until_ready(waiting.server)
        assert waiting.client.ask("toy", 4) == (1, 3)
