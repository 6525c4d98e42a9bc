"""One thing at a time: what a load or an unload that takes long holds up, and which threads change that."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_server import warmup_records
from tests.model_server.client import predict_request
from tests.model_server.gate import Gate, running
from tests.model_server.scene import MISSING, Scene, configure, model, scene
from tests.model_server.toy import Publish

# All that is there; and each look at the disk is logged.
ANY = f"specific {{ versions: 1 versions: 2 versions: 9 versions: {MISSING} }}"
# Models of the server below.
THREADED = ("loading", "other", "asked", "free")


@pytest.fixture(scope="module")
def threaded(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[Scene]:
    """A server with threads of their own for loads and for unloads."""
    folder = tmp_path_factory.mktemp("threaded")
    flags = ["--num_load_threads=4", "--num_unload_threads=2"]
    with scene(folder, configure(folder, publish, *THREADED, "unwanted"), *flags) as found:
        yield found


def hold_load(gate: Gate, version: Path, fails: bool = False) -> Path:
    """Makes the load of this version, which is not served yet, last until the gate opens, and then maybe fail."""
    requests = [predict_request({"pipe": str(gate.path)}, signature_name="held")]
    if fails:
        requests.append(predict_request({}, signature_name="nope"))
    warmup_records.put(version, map(warmup_records.record, requests))
    return version


def test_a_version_that_vanishes_before_its_turn_stays_listed_and_may_come_back(
    changing: Scene, publish: Publish, tmp_path: Path
) -> None:
    changing.serve(publish, "changed", "bystander", policy=ANY)
    base_path, following = changing.folder / "changed", changing.base_path("following")
    with Gate(tmp_path / "pipe") as gate:
        # Both appear at one moment: 9 is higher, so it comes first and holds up the other.
        for version in (1, 2):
            publish(following, version)
        hold_load(gate, publish(following, 9), fails=True)
        base_path.rename(tmp_path / "before")
        following.rename(base_path)
        gate.wait()
        assert changing.client.states("changed") == {1: "AVAILABLE", 2: "START", 9: "LOADING"}
        (base_path / "2").rename(tmp_path / "aside")
        changing.wait_for_look("bystander")
    changing.client.wait_for("changed", v9="END")
    publish(changing.folder / "bystander", 2)
    changing.client.wait_for("bystander", v2="AVAILABLE")
    assert changing.client.states("changed") == {1: "AVAILABLE", 2: "START", 9: "END"}
    (tmp_path / "aside").rename(base_path / "2")
    changing.client.wait_for("changed", v2="AVAILABLE")


def test_with_load_threads_the_others_do_not_wait(threaded: Scene, publish: Publish, tmp_path: Path) -> None:
    with Gate(tmp_path / "pipe") as gate:
        hold_load(gate, publish(tmp_path, 2)).rename(threaded.folder / "loading" / "2")
        gate.wait()
        publish(threaded.folder / "other", 2)
        threaded.client.wait_for("other", v1="END", v2="AVAILABLE")
        assert threaded.client.states("loading") == {1: "AVAILABLE", 2: "LOADING"}
    threaded.client.wait_for("loading", v1="END", v2="AVAILABLE")


def test_a_load_that_nobody_wants_any_more_is_cancelled(threaded: Scene, publish: Publish, tmp_path: Path) -> None:
    with Gate(tmp_path / "pipe") as gate:
        hold_load(gate, publish(tmp_path, 2)).rename(threaded.folder / "unwanted" / "2")
        gate.wait()
        threaded.reload(*(model(name, threaded.folder / name) for name in THREADED))
        threaded.client.wait_for("unwanted", v1="END", v2="LOADING")
    threaded.client.wait_for("unwanted", v1="END", v2="END")
    (ended,) = threaded.client.status(name="unwanted", version=2)
    assert (ended.status.error_code, ended.status.error_message) == (1, "Loading of servable cancelled")
    assert threaded.client.ask("free", 4) == (1, 3)


def test_an_unload_that_waits_for_a_request_holds_up_all_models(
    changing: Scene, publish: Publish, tmp_path: Path
) -> None:
    asked, waiting = changing.base_path("asked"), changing.base_path("waiting")
    for base_path in (asked, waiting):
        publish(base_path, 1)
    changing.reload(model("asked", asked), model("waiting", waiting, ANY))
    with running(changing.client, tmp_path / "pipe", name="asked", version=1) as request:
        publish(asked, 2)
        changing.client.wait_for("asked", v1="UNLOADING", v2="AVAILABLE")
        publish(waiting, 2)
        changing.wait_for_look("waiting")
        assert changing.client.states("waiting").get(2) != "AVAILABLE"
        request.finish()
    changing.client.wait_for("asked", v1="END")
    changing.client.wait_for("waiting", v2="AVAILABLE")


def test_with_an_unload_thread_the_others_do_not_wait(threaded: Scene, publish: Publish, tmp_path: Path) -> None:
    with running(threaded.client, tmp_path / "pipe", name="asked", version=1) as request:
        publish(threaded.folder / "asked", 2)
        threaded.client.wait_for("asked", v1="UNLOADING", v2="AVAILABLE")
        publish(threaded.folder / "free", 2)
        threaded.client.wait_for("free", v1="END", v2="AVAILABLE")
        request.finish()
    threaded.client.wait_for("asked", v1="END")
