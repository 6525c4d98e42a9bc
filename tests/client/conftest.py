"""What the client's tests share: a real gateway in front of a real model server, and a stand-in of a gateway."""

from collections.abc import Iterator

import pytest

from tests.client.stand_in import StandIn, stand_in
from tests.gateway.conftest import MODEL, OTHER_MODEL, PATIENT
from tests.gateway.relay import Relay, relay
from tests.gateway.running import Gateway, gateway
from tests.servers import ModelServer, model_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """A model server with two models: `intent`, whose version 1 is "stable", and `plain`, which takes no dialogue."""
    folder = tmp_path_factory.mktemp("models")
    MODEL.publish(folder / "intent", 1)
    OTHER_MODEL.publish(folder / "plain", 1)
    configs = "".join(
        f'config {{ name: "{name}" base_path: "{folder / name}" model_platform: "tensorflow" '
        'version_labels { key: "stable" value: 1 } }\n'
        for name in ("intent", "plain")
    )
    (folder / "models.config").write_text(f"model_config_list {{ {configs} }}\n")
    flags = [f"--model_config_file={folder / 'models.config'}", "--grpc_max_threads=32"]
    # Labels in the configuration that a server starts with are fatal without it.
    with model_server(*flags, "--allow_version_labels_for_unavailable_models") as it:
        yield it


@pytest.fixture(scope="session")
def running(server: ModelServer) -> Iterator[Gateway]:
    """A gateway in front of it, with small limits."""
    with gateway(model_server=server.address, **PATIENT, max_body_bytes=2000, max_text_characters=1000) as it:
        yield it


@pytest.fixture
def url(running: Gateway) -> str:
    """Where that gateway listens."""
    return f"http://127.0.0.1:{running.port}"


@pytest.fixture
def line(server: ModelServer) -> Iterator[Relay]:
    """A relay to the model server, to put a gateway behind."""
    with relay(server.grpc_port) as it:
        yield it


@pytest.fixture
def played() -> Iterator[StandIn]:
    """A gateway that does as it is told."""
    with stand_in() as it:
        yield it
