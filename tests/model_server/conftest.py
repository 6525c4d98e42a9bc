"""Toy models, built once a run, and the servers that tests share: one that is read only, one with many flags, and one
whose models come and go.
"""

import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.model_server import heads, layouts, toy, warmup_records
from tests.model_server.client import Client, predict_request
from tests.model_server.rest_client import Rest
from tests.model_server.scene import Scene, listed, model, scene, write
from tests.model_server.toy import Publish
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
# Two warm-up records, which count.
COUNTING = [warmup_records.record(predict_request({"x": np.float32([1])}, signature_name="count"))] * 2


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
def stale_socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A socket file that nobody listens on, until the flagged server starts."""
    path = tmp_path_factory.mktemp("socket") / "grpc.socket"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    return path


@pytest.fixture(scope="session")
def flagged(
    tmp_path_factory: pytest.TempPathFactory, publish: Publish, heads_path: Path, stale_socket: Path
) -> Iterator[ModelServer]:
    """A server with version 1 of `toy` and `heads` and with every flag that leaves the others' tests alone."""
    folder = tmp_path_factory.mktemp("flagged")
    (folder / "toy").mkdir()
    warmup_records.put(publish(folder / "toy", 1), COUNTING)
    (folder / "session.config").write_text("inter_op_parallelism_threads: 1")
    (folder / "monitoring.config").write_text('prometheus_config { enable: true path: "/other" }')
    with model_server(
        write(folder / "models.config", listed(model("toy", folder / "toy"), model("heads", heads_path))),
        "--num_request_iterations_for_warmup=3",
        "--enable_grpc_healthcheck_service",
        "--enable_signature_method_name_check",
        "--rest_api_enable_cors_support",
        "--rest_api_timeout_in_ms=-1",
        "--rest_api_num_threads=1",
        "--grpc_channel_arguments=grpc.so_reuseport=0,unknown=text,too.big=99999999999",
        f"--grpc_socket_path={stale_socket}",
        f"--tensorflow_session_config_file={folder / 'session.config'}",
        f"--monitoring_config_file={folder / 'monitoring.config'}",
    ) as server:
        yield server


@pytest.fixture(scope="session")
def frugal(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[ModelServer]:
    """A server with version 1 of `toy` and with flags that say as little as possible."""
    folder = tmp_path_factory.mktemp("frugal")
    warmup_records.put(publish(folder, 1), COUNTING)
    (folder / "monitoring.config").write_text('prometheus_config { path: "/other" }')
    with model_server(
        "--model_name=toy",
        f"--model_base_path={folder}",
        "--num_request_iterations_for_warmup=0",
        "--rest_api_timeout_in_ms=1000",
        f"--monitoring_config_file={folder / 'monitoring.config'}",
    ) as server:
        yield server


@pytest.fixture
def flagged_client(flagged: ModelServer) -> Iterator[Client]:
    """A connection to the flagged server."""
    connection = Client(flagged.address)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def changing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A server that starts without a model and tries each load once."""
    folder = tmp_path_factory.mktemp("changing")
    with scene(folder, write(folder / "models.config", listed()), "--max_num_load_retries=0") as found:
        yield found


@pytest.fixture(scope="module")
def changing(changing_server: Scene, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """That server, with a folder of the module's own. It keeps the history of each model: names must be new as well.

    What is served is what the module before has left; the first reload changes that.
    """
    return replace(changing_server, folder=tmp_path_factory.mktemp("changing"))


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
