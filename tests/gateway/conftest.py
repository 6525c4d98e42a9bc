"""What the gateway's tests share: two model servers with tiny models, and a gateway in front of the first."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from gateway.upstream.backend import Backend
from gateway.upstream.deadline import Deadline
from tests.gateway.pages.browser import Tab, browser, tab
from tests.gateway.relay import Relay, relay
from tests.gateway.running import Gateway, gateway
from tests.gateway.tiny_model import TinyModel
from tests.made_once import MadeOnce
from tests.servers import ModelServer, model_server

MODEL = TinyModel(("stop", "chitchat", "misc"))
# As many names, none of them the same, and another index for every text: no mix of the two passes for one of them.
# And no signature `dialogue`.
OTHER_MODEL = TinyModel(("request_next_step", "return_next_step", "ask_student_question"), shift=1, has_dialogue=False)
MODELS = dict.fromkeys(
    ("intent", "swapped", "moved", "moved_later", "reborn", "emptied", "listed", "both", "trained"), MODEL
)
MODELS["nameless"] = TinyModel(MODEL.names, has_labels=False)
MODELS["unmarked"] = TinyModel(MODEL.names, has_label_set=False)

# Guards against a hang: a busy machine must not turn an answer into a 504.
PATIENT = {"deadline_seconds": 60, "max_deadline_seconds": 60, "drain_seconds": 60}


@pytest.fixture(scope="session")
def models(made_once: MadeOnce, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with `MODELS`, each in version 1. Only the test that a model is named for may change it."""
    distinct = list(dict.fromkeys(MODELS.values()))

    def make(directory: Path) -> None:
        for number, model in enumerate(distinct):
            model.publish(directory / str(number), 1)

    written = made_once("gateway-models", make)
    folder = tmp_path_factory.mktemp("models")
    for name, model in MODELS.items():
        shutil.copytree(written / str(distinct.index(model)), folder / name)
    configs = "".join(
        f'config {{ name: "{name}" base_path: "{folder / name}" model_platform: "tensorflow" '
        'version_labels { key: "stable" value: 1 } version_labels { key: "planned" value: 7 } '
        f"{'model_version_policy { all {} }' if name == 'both' else ''} }}\n"
        for name in MODELS
    )
    (folder / "models.config").write_text(f"model_config_list {{ {configs} }}\n")
    return folder


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[ModelServer]:
    """A model server with all of `models`; of each, "stable" is version 1 and "planned" one that does not exist.

    It listens on the UNIX socket `socket` in that folder too.
    """
    flags = [f"--model_config_file={models / 'models.config'}", "--file_system_poll_wait_seconds=1"]
    flags.append(f"--grpc_socket_path={models / 'socket'}")
    # By default four a core, and calls beyond are refused: several workers make more.
    flags.append("--grpc_max_threads=32")
    # Labels in the configuration that a server starts with are fatal without it.
    with model_server(*flags, "--allow_version_labels_for_unavailable_models") as it:
        yield it


@pytest.fixture(scope="session")
def other_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """A model server whose version 1 of `intent` is the other model."""
    folder = tmp_path_factory.mktemp("other") / "intent"
    OTHER_MODEL.publish(folder, 1)
    with model_server("--model_name=intent", f"--model_base_path={folder}") as it:
        yield it


@pytest.fixture(scope="session")
def running(server: ModelServer) -> Iterator[Gateway]:
    """A gateway straight in front of `server`, with small limits."""
    with gateway(model_server=server.address, **PATIENT, max_body_bytes=2000, max_text_characters=1000) as it:
        yield it


@pytest.fixture
def line(server: ModelServer) -> Iterator[Relay]:
    """A relay to `server`, to put a gateway behind."""
    with relay(server.grpc_port) as it:
        yield it


@pytest.fixture(scope="session")
def driver() -> Iterator[WebDriver]:
    """A real browser."""
    with browser() as it:
        yield it


@pytest.fixture
def page(driver: WebDriver, running: Gateway) -> Iterator[Tab]:
    """The page of the gateway with small limits, in a tab of its own."""
    with tab(driver, running.port) as it:
        yield it


def wait_for_state(server: ModelServer, model_name: str, version: int, state: str) -> None:
    """Returns when the model server says that this version is in this state; it has no call that waits for one."""

    async def work() -> None:
        backend = Backend(Settings(model_server=server.address, model_name=model_name), Metrics())
        try:
            while True:
                states = {each.version: each.state for each in await backend.versions(Deadline.after(60))}
                if states.get(version) == state:
                    return
                await asyncio.sleep(0.02)
        finally:
            await backend.close()

    asyncio.run(work())
