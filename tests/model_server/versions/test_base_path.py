"""Base paths that vanish, stay empty, or are none: what is loaded stays, and the process lives."""

import shutil
import socket
from pathlib import Path

import pytest

from tests.model_server.scene import Scene, unready_scene
from tests.model_server.toy import Publish
from tests.servers import wait_until_ready


def test_a_base_path_that_vanishes_freezes_all_models_and_loses_none(changing: Scene, publish: Publish) -> None:
    changing.serve(publish, "gone", "other")
    gone = changing.folder / "gone"
    gone.rename(changing.folder / "away")
    complaint = (
        f"FileSystemStoragePathSource encountered a filesystem access error: Could not find base path {gone} for "
        f"servable gone with error NOT_FOUND: {gone} not found"
    )
    changing.wait_for_log(complaint)
    publish(changing.folder / "other", 2)
    changing.wait_for_log(complaint, times=3)
    assert changing.client.states("gone") == {1: "AVAILABLE"}
    assert changing.client.states("other") == {1: "AVAILABLE"}
    assert changing.client.ask("gone", 4) == (1, 3)
    assert changing.client.ask("other", 4) == (1, 3)
    (changing.folder / "away").rename(gone)
    changing.client.wait_for("other", v1="END", v2="AVAILABLE")
    assert changing.client.states("gone") == {1: "AVAILABLE"}


def test_an_empty_base_path_unloads_and_is_warned_about_at_each_look(changing: Scene, publish: Publish) -> None:
    changing.serve(publish, "vacant")
    base_path = changing.folder / "vacant"
    shutil.rmtree(base_path / "1")
    changing.client.wait_for("vacant", v1="END")
    changing.wait_for_log(
        f"No versions of servable vacant found under base path {base_path}. "
        "Did you forget to name your leaf directory as a number (eg. '/1/')?",
        times=2,
    )
    publish(base_path, 1)
    changing.client.wait_for("vacant", v1="AVAILABLE")


def test_a_base_path_without_a_version_keeps_the_ports_closed(tmp_path: Path, publish: Publish) -> None:
    base_path = tmp_path / "later"
    with unready_scene(tmp_path, "--model_name=toy", f"--model_base_path={base_path}") as waiting:

        def stays_closed(complaint: str) -> None:
            waiting.wait_for_log(complaint)
            assert waiting.server.process.poll() is None
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", waiting.server.grpc_port))

        stays_closed(f"Could not find base path {base_path} for servable toy")
        base_path.write_text("no directory")
        stays_closed(f"FileSystemStoragePathSource encountered a filesystem access error: {base_path}; Not a directory")
        base_path.unlink()
        base_path.mkdir()
        stays_closed(f"No versions of servable toy found under base path {base_path}.")
        publish(base_path, 1)
        wait_until_ready(waiting.server)
        assert waiting.client.ask("toy", 4) == (1, 3)
