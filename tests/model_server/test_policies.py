"""Version policies, as configured and as changed by a reload."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.model_server.client import predict_request
from tests.model_server.conftest import Publish
from tests.model_server.scene import Scene, listed, model, scene, write

VERSIONS = (1, 2, 3, 4)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[Scene]:
    """A server with one model of four versions, all on disk."""
    folder = tmp_path_factory.mktemp("policies")
    (folder / "toy").mkdir()
    for version in VERSIONS:
        publish(folder / "toy", version)
    with scene(folder, write(folder / "models.config", listed(model("toy", folder / "toy")))) as found:
        yield found


def settle(stage: Scene, policy: str, served: set[int], seen_before: set[int]) -> None:
    """Reloads with this policy and waits until exactly these versions are served."""
    stage.reload(model("toy", stage.folder / "toy", policy))
    ended = seen_before - served
    wanted = {f"v{version}": "AVAILABLE" for version in served} | {f"v{version}": "END" for version in ended}
    stage.client.wait_for("toy", **wanted)
    for version in VERSIONS:
        request = predict_request({"x": np.float32([4])}, version=version)
        if version in served:
            assert stage.client.predict(request).outputs["y"].float_val == [2 + version]
        else:
            with pytest.raises(grpc.RpcError) as caught:
                stage.client.predict(request)
            assert caught.value.details() == f"Servable not found for request: Specific(toy, {version})"
    if served:
        # A request without a version gets the highest one that is loaded, whatever the policy.
        assert stage.client.ask("toy", 4) == (max(served), 2 + max(served))


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        pytest.param("", {4}, id="none is latest 1"),
        pytest.param("all {}", {1, 2, 3, 4}, id="all"),
        pytest.param("latest {}", {4}, id="latest without a number"),
        pytest.param("latest { num_versions: 2 }", {3, 4}, id="latest 2"),
        pytest.param("latest { num_versions: 0 }", {4}, id="latest 0 is 1"),
        pytest.param("latest { num_versions: 99 }", {1, 2, 3, 4}, id="more than there are"),
        pytest.param("specific { versions: 2 }", {2}, id="one older"),
        pytest.param("specific { versions: 1 versions: 3 }", {1, 3}, id="two"),
        pytest.param("specific { versions: 3 versions: 9 }", {3}, id="one is missing"),
        pytest.param("specific { versions: 2 versions: 2 }", {2}, id="one twice"),
        pytest.param("specific {}", set(), id="none of them"),
        pytest.param("specific { versions: 9 }", set(), id="only a missing one"),
    ],
)
def test_a_reload_changes_what_is_served(shared: Scene, policy: str, served: set[int]) -> None:
    seen = {version for version, state in shared.client.states("toy").items() if state == "AVAILABLE"}
    settle(shared, policy, served, seen)


def test_missing_specific_versions_and_empty_results_are_warned_about(shared: Scene) -> None:
    shared.reload(model("toy", shared.folder / "toy", "specific { versions: 77 }"))
    shared.wait_for_log("Version 77 of servable toy")
    shared.wait_for_log(f"No versions of servable toy found under base path {shared.folder / 'toy'}.")


@pytest.mark.parametrize("policy", ["all {}", "specific { versions: 3 versions: 1 }"])
def test_with_several_versions_the_ports_open_once_the_first_is_up(
    tmp_path: Path, publish: Publish, policy: str
) -> None:
    (tmp_path / "toy").mkdir()
    for version in (1, 3):
        publish(tmp_path / "toy", version)
    with scene(tmp_path, write(tmp_path / "models.config", listed(model("toy", tmp_path / "toy", policy)))) as found:
        assert "AVAILABLE" in found.client.states("toy").values()
        found.client.wait_for("toy", v1="AVAILABLE", v3="AVAILABLE")
