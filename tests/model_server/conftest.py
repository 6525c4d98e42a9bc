"""Toy models, built once a run, and one server that all read-only cases share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.model_server import heads, layouts, toy
from tests.model_server.client import Client
from tests.model_server.rest import Rest
from tests.servers import ModelServer, model_server

CONFIG = """
model_config_list {
  config {
    name: "toy" base_path: "%s" model_platform: "tensorflow" model_version_policy { all {} }
    version_labels { key: "stable" value: 1 }
    version_labels { key: "canary" value: 2 }
  }
  config { name: "heads" base_path: "%s" model_platform: "tensorflow" }
  config { name: "layouts" base_path: "%s" model_platform: "tensorflow" }
}
"""

Publish = Callable[[Path, int], Path]


@pytest.fixture(scope="session")
def publish(tmp_path_factory: pytest.TempPathFactory) -> Publish:
    """Puts a version of the toy under a base path, by rename; each version is built once."""
    built = tmp_path_factory.mktemp("toys")

    def put(base_path: Path, version: int) -> Path:
        if not (built / str(version)).exists():
            toy.build(built / str(version), version)
        incoming = base_path / f"incoming-{version}"
        shutil.copytree(built / str(version), incoming)
        return incoming.rename(base_path / str(version))

    return put


@pytest.fixture(scope="session")
def heads_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base path of model `heads`, version 1."""
    base_path = tmp_path_factory.mktemp("heads")
    heads.build(base_path / "1")
    return base_path


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, publish: Publish, heads_path: Path) -> Iterator[ModelServer]:
    """A server with versions 1 (label stable) and 2 (canary) of `toy`, both loaded, and with `heads` and `layouts`."""
    base_path = tmp_path_factory.mktemp("toy")
    for version in (1, 2):
        publish(base_path, version)
    layouts_path = tmp_path_factory.mktemp("layouts")
    layouts.build(layouts_path / "1")
    config = tmp_path_factory.mktemp("config") / "models.config"
    config.write_text(CONFIG % (base_path, heads_path, layouts_path))
    flags = [f"--model_config_file={config}", "--allow_version_labels_for_unavailable_models", "--grpc_max_threads=16"]
    with model_server(*flags) as server:
        client = Client(server.address)
        client.wait_for("toy", v1="AVAILABLE", v2="AVAILABLE")
        client.close()
        yield server


@pytest.fixture(scope="session")
def address(shared: ModelServer) -> str:
    """Where the shared server listens for gRPC."""
    return shared.address


@pytest.fixture(scope="session")
def rest(shared: ModelServer) -> Rest:
    """The shared server's REST port."""
    return Rest(shared.rest_port)


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    """A connection to the shared server."""
    connection = Client(address)
    yield connection
    connection.close()
