"""Version policies, as configured and as changed by a reload."""

from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.model_server.client import predict_request
from tests.model_server.scene import MISSING, Scene, listed, model, scene, write
from tests.model_server.toy import Publish

VERSIONS = {1, 2, 3, 4}
# By model, all of whose versions are on disk: the policy before a reload, the one after it, and what that serves.
POLICIES = {
    "none is latest 1": ("all {}", "", {4}),
    "all": ("", "all {}", VERSIONS),
    "latest without a number": ("all {}", "latest {}", {4}),
    "latest 2": ("", "latest { num_versions: 2 }", {3, 4}),
    "latest 0 is 1": ("latest { num_versions: 2 }", "latest { num_versions: 0 }", {4}),
    "more than there are": ("", "latest { num_versions: 99 }", VERSIONS),
    "one older": ("", "specific { versions: 2 }", {2}),
    "two": ("specific { versions: 2 }", "specific { versions: 1 versions: 3 }", {1, 3}),
    "one is missing": ("specific { versions: 1 }", "specific { versions: 3 versions: 9 }", {3}),
    "one twice": ("", "specific { versions: 2 versions: 2 }", {2}),
    "none of them": ("all {}", "specific {}", set()),
    "only a missing one": ("", "specific { versions: 9 }", set()),
}


# What the policies before the reload serve.
BEFORE = {
    "": {4},
    "all {}": VERSIONS,
    "latest { num_versions: 2 }": {3, 4},
    "specific { versions: 1 }": {1},
    "specific { versions: 2 }": {2},
}


@pytest.fixture(scope="module")
def stage(changing: Scene, publish: Publish) -> Scene:
    """A server that has just got the reload."""
    for name in POLICIES:
        base_path = changing.base_path(name)
        for version in VERSIONS:
            publish(base_path, version)
    changing.reload(*(model(name, changing.folder / name, policy) for name, (policy, _, _) in POLICIES.items()))
    for name, (policy, _, _) in POLICIES.items():
        changing.client.wait_for(name, **{f"v{version}": "AVAILABLE" for version in BEFORE[policy]})
    changing.reload(*(model(name, changing.folder / name, policy) for name, (_, policy, _) in POLICIES.items()))
    return changing


@pytest.mark.parametrize("name", POLICIES)
def test_a_reload_changes_what_is_served(stage: Scene, name: str) -> None:
    policy, _, served = POLICIES[name]
    wanted = dict.fromkeys(served, "AVAILABLE") | dict.fromkeys(BEFORE[policy] - served, "END")
    stage.client.wait_for(name, **{f"v{version}": state for version, state in wanted.items()})
    for version in VERSIONS:
        request = predict_request({"x": np.float32([4])}, name=name, version=version)
        if version in served:
            assert stage.client.predict(request).outputs["y"].float_val == [2 + version]
        else:
            with pytest.raises(grpc.RpcError) as caught:
                stage.client.predict(request)
            assert caught.value.details() == f"Servable not found for request: Specific({name}, {version})"
    if served:
        # A request without a version gets the highest one that is loaded, whatever the policy.
        assert stage.client.ask(name, 4) == (max(served), 2 + max(served))


def test_missing_specific_versions_and_empty_results_are_warned_about(changing: Scene, publish: Publish) -> None:
    changing.serve(publish, "bare")
    changing.reload(model("bare", changing.folder / "bare", f"specific {{ versions: {MISSING} }}"))
    changing.wait_for_log(f"Version {MISSING} of servable bare")
    changing.wait_for_log(f"No versions of servable bare found under base path {changing.folder / 'bare'}.")


def test_with_several_versions_the_ports_open_once_the_first_is_up(tmp_path: Path, publish: Publish) -> None:
    policies = {"all": "all {}", "listed": "specific { versions: 3 versions: 1 }"}
    for name in policies:
        (tmp_path / name).mkdir()
        for version in (1, 3):
            publish(tmp_path / name, version)
    models = listed(*(model(name, tmp_path / name, policy) for name, policy in policies.items()))
    with scene(tmp_path, write(tmp_path / "models.config", models)) as found:
        for name in policies:
            assert "AVAILABLE" in found.client.states(name).values()
        for name in policies:
            found.client.wait_for(name, v1="AVAILABLE", v3="AVAILABLE")
