"""Fits a classifier by a recipe."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
import tf_keras
from tqdm import tqdm

from training.data.intents import INTENTS
from training.encoder.encoders import Encoder
from training.errors import DataError, TrainingError
from training.fit import architecture, prior, rounding
from training.fit.architecture import TrainableClassifier
from training.fit.batches import PackedRows
from training.fit.progress import History, Progress
from training.fit.recipe import Recipe
from training.fit.schedule import WarmupThenLinear

# Biases and norms need not be small; decay of embeddings would also shrink those of pieces that no row has.
NOT_DECAYED = ["bias", "(?i)norm", "embedding"]


@dataclass(frozen=True)
class Fitted:
    """A trained classifier.

    Attributes:
        prior: float32 [3, 12, 11], see `training.fit.prior`.
        history: metric name (loss, accuracy, val_loss, val_accuracy, seconds) -> value per epoch.
        epoch: the one that was kept, from 0.
    """

    trained: TrainableClassifier
    prior: np.ndarray
    history: History
    epoch: int


def fit(
    pair: Encoder,
    recipe: Recipe,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    state: Path,
    say: Callable[[str], None],
) -> Fitted:
    """Trains on the rows `train` and evaluates on `validation` after each epoch.

    Finished epochs are kept in the directory `state`. A run that finds some there continues after them, with the same
    result as without the interruption. `say` is called with a line for each epoch.

    Raises:
        DataError: a split has no rows, or no row of an intent to learn from.
        EncoderError: the encoder cannot be used.
        TrainingError: the loss is not finite.
    """
    _check(train, validation)
    tf_keras.utils.set_random_seed(recipe.seed)
    trainable = architecture.build(pair, recipe.dropout, recipe.train_embeddings)
    model = trainable.model
    steps = math.ceil(len(train) / recipe.batch_size)
    model.compile(
        optimizer=_optimizer(recipe, steps * recipe.epochs),
        loss=tf_keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    progress = Progress(state, model)
    if progress.epochs:
        say(f"going on after epoch {progress.epochs} of an interrupted run")
    rows, held_out = (PackedRows.of(trainable.preprocess, split, recipe) for split in (train, validation))
    for epoch in range(progress.epochs, recipe.epochs):
        began = time.monotonic()
        # A seed and a trace of its own for each epoch: dropout is then the same in a resumed run.
        tf_keras.utils.set_random_seed(recipe.seed + epoch)
        model.make_train_function(force=True)
        figures = _train(model, rows, recipe, epoch, steps) | _validate(model, held_out)
        progress.finish_epoch(figures | {"seconds": time.monotonic() - began})
        say(
            f"epoch {epoch + 1}/{recipe.epochs}: loss {figures['loss']:.4f}, accuracy {figures['accuracy']:.4f}; "
            f"validation loss {figures['val_loss']:.4f}, accuracy {figures['val_accuracy']:.4f}; "
            f"{time.monotonic() - began:.0f} s"
        )
    if recipe.keep == "best":
        progress.restore_best()
    if recipe.weights == "int8":
        rounding.round_weights(trainable.encoder.variables)
    learned = prior.learn(train) if recipe.context == "prior" else prior.none()
    kept = progress.best_epoch if recipe.keep == "best" else recipe.epochs - 1
    return Fitted(trainable, learned, progress.history, kept)


def _check(train: pd.DataFrame, validation: pd.DataFrame) -> None:
    for name, rows in (("train", train), ("validation", validation)):
        if rows.empty:
            raise DataError(f"the data set has no {name} split; give some conversations data_split {name!r}")
    if absent := [intent for intent in INTENTS if intent not in set(train["intent"])]:
        raise DataError(
            f"the train split has no row of {', '.join(absent)}, so nothing could be learned of it; add some turns"
        )


def _train(model: tf_keras.Model, rows: PackedRows, recipe: Recipe, epoch: int, steps: int) -> dict[str, float]:
    model.reset_metrics()
    # Only on a terminal; log files get the line at the end of the epoch.
    with tqdm(total=steps, desc=f"epoch {epoch + 1}/{recipe.epochs}", unit="batch", disable=None, leave=False) as bar:
        for batch in rows.for_training(recipe, epoch):
            figures = model.train_on_batch(
                batch.packed, rows.targets[batch.rows], reset_metrics=False, return_dict=True
            )
            if not math.isfinite(figures["loss"]):
                raise TrainingError(
                    f"the loss is not finite after {bar.n + 1} batches of epoch {epoch + 1}; lower the learning rate"
                )
            bar.set_postfix({name: f"{value:.4f}" for name, value in figures.items()}, refresh=False)
            bar.update()
    return {name: float(value) for name, value in figures.items()}


def _validate(model: tf_keras.Model, rows: PackedRows) -> dict[str, float]:
    logits = np.empty_like(rows.targets)
    for batch in rows.for_evaluation():
        logits[batch.rows] = model.predict_on_batch(batch.packed)
    loss = tf.nn.softmax_cross_entropy_with_logits(rows.targets, logits).numpy().mean()
    right = (logits.argmax(axis=1) == rows.targets.argmax(axis=1)).mean()
    return {"val_loss": float(loss), "val_accuracy": float(right)}


def _optimizer(recipe: Recipe, steps: int) -> tf_keras.optimizers.Optimizer:
    rate = WarmupThenLinear(recipe.learning_rate, round(recipe.warmup_fraction * steps), steps, recipe.linear_decay)
    optimizer = tf_keras.optimizers.Adam(
        rate, weight_decay=recipe.weight_decay or None, global_clipnorm=recipe.clip_norm or None
    )
    optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return optimizer
