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
