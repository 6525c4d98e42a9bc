"""Reloads of servers that began without a model, or that do not look at the disk any more."""

import shutil
from pathlib import Path

import grpc
import pytest

from tests.model_server.scene import listed, model, scene, write
from tests.model_server.toy import Publish


def test_a_server_without_models_takes_the_first_list_as_a_start(tmp_path: Path, publish: Publish) -> None:
    with scene(tmp_path, write(tmp_path / "models.config", "  # no models yet\n"), "--max_num_load_retries=0") as empty:
        assert empty.client.states("toy") == {}
        assert empty.unserved("toy") == ("NOT_FOUND", "Servable not found for request: Latest(toy)")
        (empty.base_path("toy") / "1").mkdir()
        code, message = empty.refused(model("toy", empty.folder / "toy"))
        assert code == "UNKNOWN"
        # As at start: servables, not models.
        assert message.startswith("1 servable(s) did not become available: {{{name: toy version: 1} due to error: ")
        publish(empty.base_path("good"), 1)
        _, message = empty.refused(model("toy", empty.folder / "toy"), model("good", empty.folder / "good"))
        assert message.startswith("1 servable(s) did not become available: {{{name: toy version: 1} due to error: ")


def test_an_empty_list_is_a_start_too_and_a_model_without_a_platform_spoils_every_later_one(
    tmp_path: Path, publish: Publish
) -> None:
    with scene(tmp_path, write(tmp_path / "models.config", listed()), "--max_num_load_retries=0") as empty:
        assert empty.client.states("toy") == {}
        (empty.base_path("toy") / "1").mkdir()
        _, message = empty.refused(model("toy", empty.folder / "toy"))
        assert message.startswith("1 model(s) did not become available: {{{name: toy version: 1} due to error: ")
        shutil.rmtree(empty.folder / "toy" / "1")
        publish(empty.folder / "toy", 2)
        empty.client.wait_for("toy", v2="AVAILABLE")
        # It is remembered before it is refused, and looked at first from then on.
        expected = (
            "INVALID_ARGUMENT",
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            "ModelServerConfig::model_platform, model name is x",
        )
        assert empty.refused(model("x", "/x", model_platform="")) == expected
        assert empty.refused(model("toy", empty.folder / "toy")) == expected


def test_without_polling_a_reload_that_adds_a_model_does_not_return(tmp_path: Path, publish: Publish) -> None:
    for name in ("toy", "new"):
        (tmp_path / name).mkdir()
        publish(tmp_path / name, 1)
    fixed = model("toy", tmp_path / "toy")
    flag = write(tmp_path / "models.config", listed(fixed))
    with scene(tmp_path, flag, "--file_system_poll_wait_seconds=0") as still:
        call = still.client.start_reload(listed(fixed, model("new", tmp_path / "new")))
        # Other calls are answered meanwhile, for longer than a poll would take.
        with pytest.raises(grpc.FutureTimeoutError):
            call.result(timeout=2)
        assert still.client.states("new") == {}
        assert still.client.ask("toy", 4) == (1, 3)
