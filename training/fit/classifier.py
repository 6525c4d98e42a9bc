"""The trained classifier, and its directory.

A classifier directory needs no other file, wherever its encoder came from:
    model/            SavedModel: `preprocess`, `encoder` (both hub-shaped), `kernel`, `bias`, `prior`
    classifier.json   labels in index order, sequence length, encoder, context, temperature, weights
and, from `training.report`: metrics.json, MODEL_CARD.md and its pictures.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  registers the ops of the preprocessing

from training.errors import ClassifierError
from training.fit import context, prior
from training.fit.architecture import TrainableClassifier

# Rows of one run when many are classified at once.
ROWS = 64


@dataclass(frozen=True)
class Description:
    """What classifier.json says.

    Attributes:
        labels: the intents in index order.
        sequence_length: most word pieces of an utterance, [CLS] and [SEP] included.
        context: how role and previous text are used, see `training.fit.recipe`.
        temperature: logits are divided by it, so that probabilities agree with accuracy.
        weights: "int8" if the encoder's large weights are multiples of an 8-bit step, see `training.fit.rounding`.
    """

    encoder: str
    labels: tuple[str, ...]
    sequence_length: int
    context: str
    temperature: float
    weights: str


@dataclass(frozen=True)
class TrainedClassifier:
    """A classifier as read back from its directory.

    Attributes:
        preprocess, encoder: hub-shaped.
        kernel: float32 [hidden, 11]; bias: float32 [11].
        prior: float32 [3, 12, 11], see `training.fit.prior`; zeros unless the context is "prior".
    """

    description: Description
    preprocess: Any
    encoder: Any
    kernel: tf.Variable
    bias: tf.Variable
    prior: tf.Variable

    @property
    def labels(self) -> tuple[str, ...]:
        """The intents in index order."""
        return self.description.labels

    @property
    def context(self) -> str:
        """How role and previous text are used, see `training.fit.recipe`."""
        return self.description.context

    @property
    def temperature(self) -> float:
        """What logits are divided by."""
        return self.description.temperature

    def text_logits(self, text: tf.Tensor) -> tf.Tensor:
        """Texts, string [rows] -> logits divided by the temperature, float32 [rows, 11]. For graphs."""
        return self._encoded([text]) / self.temperature

    def dialogue_logits(self, text: tf.Tensor, role: tf.Tensor, previous: tf.Tensor) -> tf.Tensor:
        """The same with context, string [rows] each; "" (or any other role) = unknown. For graphs."""
        if self.context == "previous":
            logits = self._encoded([text, context.second_segment(role, previous)])
        elif self.context == "prior":
            rows = tf.shape(text)[0]
            both = self._encoded([tf.concat([text, previous], axis=0)])
            logits = both[:rows] + prior.shift(self.prior, role, previous, both[rows:])
        else:
            logits = self._encoded([text])
        return logits / self.temperature

    def logits(
        self, texts: Sequence[str], roles: Sequence[str] | None = None, previous: Sequence[str] | None = None
    ) -> np.ndarray:
        """Logits, float32 [rows, 11], in the order of `texts`; None = unknown for all rows."""
        alone = roles is None and previous is None
        given = (texts,) if alone else (texts, roles, previous)
        columns = [np.array([""] * len(texts) if column is None else list(column), object) for column in given]
        run = self._run_text if alone else self._run_dialogue
        # Rows of like length are run together.
        order = np.argsort([sum(map(len, row)) for row in zip(*columns, strict=True)])
        logits = np.empty((len(order), len(self.labels)), np.float32)
        for start in range(0, len(order), ROWS):
            rows = order[start : start + ROWS]
            logits[rows] = run(*(tf.constant(column[rows].tolist(), tf.string) for column in columns)).numpy()
        return logits

    # Traced once, since tracing takes longer than answering most splits.
    @cached_property
    def _run_text(self) -> Any:
        return tf.function(self.text_logits, input_signature=[tf.TensorSpec([None], tf.string)])

    @cached_property
    def _run_dialogue(self) -> Any:
        return tf.function(self.dialogue_logits, input_signature=[tf.TensorSpec([None], tf.string)] * 3)

    def _encoded(self, segments: list[tf.Tensor]) -> tf.Tensor:
        """Before temperature and prior."""
        packed = context.pack(self.preprocess, segments, self.description.sequence_length)
        return tf.matmul(self.encoder(packed)["pooled_output"], self.kernel) + self.bias


def save(trained: TrainableClassifier, learned_prior: np.ndarray, description: Description, directory: Path) -> None:
    """Writes model/ and classifier.json into an existing directory."""
    kernel, bias = trained.model.get_layer("classifier").weights
    root = tf.train.Checkpoint(
        preprocess=trained.preprocess,
        encoder=trained.encoder,
        kernel=kernel,
        bias=bias,
        prior=tf.Variable(learned_prior, name="prior"),
    )
    tf.saved_model.save(root, str(directory / "model"))
    describe(description, directory)


def describe(description: Description, directory: Path) -> None:
    """Writes classifier.json, over an earlier one."""
    (directory / "classifier.json").write_text(json.dumps(asdict(description), indent=2) + "\n")


def load(directory: Path) -> TrainedClassifier:
    """Reads a classifier directory.

    Raises:
        ClassifierError: it is missing or incomplete.
    """
    try:
        described = json.loads((directory / "classifier.json").read_text())
        root = tf.saved_model.load(str(directory / "model"))
        return TrainedClassifier(
            description=Description(**described | {"labels": tuple(described["labels"])}),
            preprocess=root.preprocess,
            encoder=root.encoder,
            kernel=root.kernel,
            bias=root.bias,
            prior=root.prior,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClassifierError(
            f"{directory} is no classifier ({error}); make one with `python -m training fit`"
        ) from error
