"""The process that trains for some steps one way, and says what they took.

python -m benchmarks.training.worker <way> <encoder> <data> <warm-up steps> <steps>: writes a JSON object to standard
output, everything else to standard error.
"""

import itertools
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.shared.processes import held
from benchmarks.training.recipes import PUBLISHED, REFERENCE

# Validation after the steps is no part of the figures; `fit` wants some rows for it.
VALIDATION_ROWS = 32

# From a batch, as the loop gets it, to its input mask, int32 [rows, length].
Mask = Callable[[Any], Any]


@dataclass(frozen=True)
class Measured:
    """Some steps of training.

    Attributes:
        step_ms: the mean step, making of its batch included.
        peak_mib: the most memory that was resident up to the last step.
        padding: share of the batches' pieces that are padding, 0 to 1.
        pieces: of a row in the mean, without padding.
    """

    rows_per_second: float
    step_ms: float
    peak_mib: float
    padding: float
    pieces: float


class Stopwatch:
    """Between a source of batches and the loop that trains on them: lets some through, and notes when.

    The loop's next step begins when it asks for a batch, so the time between two requests is a step with all that
    belongs to it.
    """

    def __init__(self, warm_up: int, steps: int) -> None:
        self._warm_up, self._steps = warm_up, steps
        self._batches: list[Any] = []
        self._asked: list[float] = []
        self._peak = math.nan

    def through(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The first batches: those of the warm-up, and those that are measured."""
        yield from itertools.islice(batches, self._warm_up)
        for _ in range(self._steps):
            self._asked.append(time.perf_counter())
            self._batches.append(next(batches))
            yield self._batches[-1]
        self._asked.append(time.perf_counter())
        self._peak = held(os.getpid()).peak

    def measured(self, mask: Mask) -> Measured:
        """Of the steps after the warm-up."""
        masks = [mask(batch) for batch in self._batches]
        seconds = self._asked[-1] - self._asked[0]
        rows, known, pieces = (sum(count) for count in zip(*((len(m), m.sum(), m.size) for m in masks), strict=True))
        return Measured(
            rows_per_second=rows / seconds,
            step_ms=seconds * 1000 / self._steps,
            peak_mib=self._peak,
            padding=float(1 - known / pieces),
            pieces=float(known / rows),
        )


def main(way: str, encoder: str, data: Path, warm_up: int, steps: int) -> Measured:
    """Trains; the classifier is thrown away."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import pandas as pd

    from training.data import dataset
    from training.encoder import encoders
    from training.fit import recipe

    chosen = recipe.load(REFERENCE if way == PUBLISHED else way, encoder=encoder, epochs=1)
    loaded = dataset.load(data)
    train, validation = loaded.split("train"), loaded.split("validation")
    # One epoch has just these steps, so that every way sees all of the same rows; `fit` wants each intent among them.
    drawn = train.sample((warm_up + steps) * chosen.batch_size, replace=True, random_state=0)
    train = pd.concat([train.drop_duplicates("intent"), drawn], ignore_index=True).head(len(drawn))
    watch = Stopwatch(warm_up, steps)
    pair = encoders.resolve(chosen.encoder)
    train_way = _train_as_published if way == PUBLISHED else _fit
    return watch.measured(train_way(pair, chosen, train, validation.head(VALIDATION_ROWS), watch))


def _fit(pair: Any, recipe: Any, train: Any, validation: Any, watch: Stopwatch) -> Mask:
    """By the project's own loop, which the stopwatch cuts short by ending its epoch."""
    from training.fit.batches import PackedRows
    from training.fit.fit import fit

    for_training = PackedRows.for_training

    def watched(rows: PackedRows, recipe: Any, epoch: int) -> Iterator[Any]:
        return watch.through(for_training(rows, recipe, epoch))

    # setattr, as a checker forbids to assign to a method.
    setattr(PackedRows, "for_training", watched)  # noqa: B010
    with tempfile.TemporaryDirectory() as state:
        fit(pair, recipe, train, validation, Path(state), lambda line: print(line, file=sys.stderr))
    return lambda batch: batch.packed["input_mask"]


def _train_as_published(pair: Any, recipe: Any, train: Any, validation: Any, watch: Stopwatch) -> Mask:
    """The Keras model from text to logits, whose preprocessing is a layer."""
    import numpy as np
    import tensorflow as tf
    import tensorflow_hub as hub
    import tf_keras

    from training.data.intents import INTENTS
    from training.fit import architecture

    trainable = architecture.build(pair, recipe.dropout, recipe.train_embeddings)
    text = tf_keras.layers.Input(shape=(), dtype=tf.string, name="text")
    length = {"seq_length": recipe.sequence_length}
    packing = hub.KerasLayer(trainable.preprocess.bert_pack_inputs, arguments=length)
    model = tf_keras.Model(text, trainable.model(packing([hub.KerasLayer(trainable.preprocess.tokenize)(text)])))
    model.compile(
        optimizer=tf_keras.optimizers.Adam(recipe.learning_rate),
        loss=tf_keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    shuffled = train.sample(frac=1, random_state=recipe.seed)
    texts, size = shuffled["text"].to_numpy(object), recipe.batch_size
    targets = np.eye(len(INTENTS), dtype=np.float32)[[INTENTS.index(intent) for intent in shuffled["intent"]]]

    for place in watch.through(iter(range(0, len(texts), size))):
        batch = tf.constant(texts[place : place + size].tolist())
        model.train_on_batch(batch, targets[place : place + size], reset_metrics=False, return_dict=True)

    def mask(place: int) -> Any:
        tokens = trainable.preprocess.tokenize(tf.constant(texts[place : place + size].tolist()))
        length = tf.constant(recipe.sequence_length)
        return trainable.preprocess.bert_pack_inputs([tokens], seq_length=length)["input_mask"].numpy()

    return mask


if __name__ == "__main__":
    way, encoder, data, warm_up, steps = sys.argv[1:]
    sys.stdout.write(json.dumps(asdict(main(way, encoder, Path(data), int(warm_up), int(steps)))))
