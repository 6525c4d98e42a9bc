"""Fixtures for every folder: tiny weights, a small trained model, and a running service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Service, service


@pytest.fixture(scope="session")
def tiny_pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub-shaped pair with random weights: one layer of width 16 over the real vocabulary."""
    from tests.tiny import save_pair

    pair = tmp_path_factory.mktemp("tiny-pair")
    save_pair(pair, layers=1, hidden=16, heads=2)
    return pair


@pytest.fixture(scope="session")
def tiny_classifier(tmp_path_factory: pytest.TempPathFactory, tiny_pair: Path) -> Path:
    """A classifier directory over the tiny pair, trained by one short epoch on the bundled sample."""
    from training.__main__ import main

    directory = tmp_path_factory.mktemp("tiny") / "classifier"
    words = ["fit", "--recipe", "quick", "--encoder", str(tiny_pair), "--epochs", "1", "--data", "sample"]
    assert main([*words, "--output", str(directory)]) == 0
    return directory


@pytest.fixture(scope="session")
def quick_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder whose intent/1 was trained from MiniLM's first layer on a cut of the sample."""
    from export.__main__ import main as export
    from tests.tiny import cut_sample
    from training.__main__ import main as training

    folder = tmp_path_factory.mktemp("quick")
    data = cut_sample(folder / "data", conversations=16)
    words = ["fit", "--recipe", "quick", "--encoder", "minilm:1", "--epochs", "2", "--data", str(data)]
    assert training([*words, "--output", str(folder / "classifier")]) == 0
    models = folder / "models"
    assert export(["publish", "--classifier", str(folder / "classifier"), "--models", str(models / "intent")]) == 0
    return models


@pytest.fixture(scope="module")
def running(quick_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Model server and gateway, started by the project's own start command over `quick_models`."""
    with service(quick_models, tmp_path_factory.mktemp("state")) as started:
        yield started
