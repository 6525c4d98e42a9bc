"""Fixtures for every folder: tiny weights, a small trained model, and a running service."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.made_once import MadeOnce
from tests.servers import Service, service

# A shell starts background jobs with SIGINT ignored. The processes that tests start would inherit that, and a test that
# interrupts one would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


SLOW_FIXTURES = frozenset(("tiny_classifier", "quick_models", "driver", "page"))
"""What trains a classifier or starts a browser."""
SLOW_FILES = (
    "benchmarks/model/",
    "benchmarks/serving/test_load.py",
    "benchmarks/training/",
    "client/test_batch.py",
    "client/test_resume.py",
    "client/test_wheel.py",
    "cloudformation/operate/",
    "cloudformation/template/test_checkers.py",
    "export/",
    "gateway/pages/",
    "gateway/test_dockerfile.py",
    "gateway/test_outage.py",
    "gateway/test_server.py",
    "gateway/test_workers.py",
    "gateway/upstream/test_classifier.py",
    "model_server/batching/",
    "model_server/rest/",
    "model_server/rpc/",
    "model_server/versions/",
    "model_server/test_main.py",
    "model_server/test_start.py",
    "serving_config/test_start.py",
    "test_end_to_end.py",
    "test_readme.py",
    "training/fit/test_classifier.py",
    "training/encoder/",
    "training/test_main.py",
)
"""What takes longest by `pytest --durations=80`: many starts of servers, deployments, changes of versions."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what `make test-fast` leaves out."""
    tests = Path(__file__).parent
    for item in items:
        is_slow_file = item.path.relative_to(tests).as_posix().startswith(SLOW_FILES)
        if is_slow_file or not SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    return MadeOnce(tmp_path_factory)


@pytest.fixture(scope="session")
def tiny_pair(made_once: MadeOnce) -> Path:
    """A hub-shaped pair with random weights: one layer of width 16 over the real vocabulary."""
    from tests.tiny import save_pair

    return made_once("tiny-pair", lambda directory: save_pair(directory, layers=1, hidden=16, heads=2))


@pytest.fixture(scope="session")
def small_data(made_once: MadeOnce) -> Path:
    """The bundled sample with fewer conversations to train on; every intent is still among them."""
    from tests.tiny import cut_sample

    return made_once("data", lambda directory: cut_sample(directory, conversations=16))


@pytest.fixture(scope="session")
def tiny_classifier(made_once: MadeOnce, tiny_pair: Path, small_data: Path) -> Path:
    """A classifier directory over the tiny pair, trained by one short epoch."""
    from training.__main__ import main

    words = ["fit", "--recipe", "quick", "--encoder", str(tiny_pair), "--epochs", "1", "--data", str(small_data)]

    def make(directory: Path) -> None:
        assert main([*words, "--output", str(directory / "classifier")]) == 0

    return made_once("tiny-classifier", make) / "classifier"


@pytest.fixture(scope="session")
def quick_models(made_once: MadeOnce, small_data: Path) -> Path:
    """A models folder whose intent/1 was trained from MiniLM's first layer on the small data."""
    from export.__main__ import main as export
    from training.__main__ import main as training

    def make(folder: Path) -> None:
        classifier = folder / "classifier"
        words = ["fit", "--recipe", "quick", "--encoder", "minilm:1", "--epochs", "2", "--data", str(small_data)]
        assert training([*words, "--output", str(classifier)]) == 0
        assert export(["publish", "--classifier", str(classifier), "--models", str(folder / "models/intent")]) == 0

    return made_once("quick", make) / "models"


@pytest.fixture(scope="module")
def running(quick_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Model server and gateway, started by the project's own start command over `quick_models`."""
    with service(quick_models, tmp_path_factory.mktemp("state")) as started:
        yield started
