"""A published version, and a v1 session over it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from export.__main__ import main
from tests.made_once import MadeOnce


@pytest.fixture(scope="session")
def models(made_once: MadeOnce, tiny_classifier: Path) -> Path:
    def make(folder: Path) -> None:
        assert main(["publish", "--classifier", str(tiny_classifier), "--models", str(folder / "intent")]) == 0

    return made_once("published", make) / "intent"


class Served:
    """The published version in a v1 session, as the model server runs it."""

    def __init__(self, session: tf.compat.v1.Session, path: Path) -> None:
        self.session = session
        with session.graph.as_default():
            self.meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(path))

    def ask(self, signature: str, **inputs: object) -> dict[str, np.ndarray]:
        definition = self.meta_graph.signature_def[signature]
        fetches = {name: output.name for name, output in definition.outputs.items()}
        return self.session.run(fetches, {definition.inputs[name].name: value for name, value in inputs.items()})


@pytest.fixture(scope="session")
def served(models: Path) -> Iterator[Served]:
    session = tf.compat.v1.Session(graph=tf.Graph())
    yield Served(session, models / "1")
    session.close()
