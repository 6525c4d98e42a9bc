"""Toy models, built once a run, and one server that all read-only cases share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.model_server import toy
from tests.model_server.client import Client
from tests.servers import model_server

CONFIG = """
model_config_list {
  config {
    name: "toy" base_path: "%s" model_platform: "tensorflow" model_version_policy { all {} }
    version_labels { key: "stable" value: 1 }
    version_labels { key: "canary" value: 2 }
  }
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
def address(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[str]:
    """A server with versions 1 (label stable) and 2 (canary) of `toy`, both loaded."""
    base_path = tmp_path_factory.mktemp("toy")
    for version in (1, 2):
        publish(base_path, version)
    config = tmp_path_factory.mktemp("config") / "models.config"
    config.write_text(CONFIG % base_path)
    flags = [f"--model_config_file={config}", "--allow_version_labels_for_unavailable_models", "--grpc_max_threads=16"]
    with model_server(*flags) as server:
        client = Client(server.address)
        client.wait_for("toy", v1="AVAILABLE", v2="AVAILABLE")
        client.close()
        yield server.address


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    """A connection to the shared server."""
    connection = Client(address)
    yield connection
    connection.close()
