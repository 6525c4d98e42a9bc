"""Fits a classifier by a recipe."""

import math
import sys
from dataclasses import dataclass

import pandas as pd
import tensorflow as tf
import tf_keras

from training import classifier
from training.classifier import TrainableClassifier
from training.encoders import Encoder
from training.errors import DataError, TrainingError
from training.intents import INTENTS
from training.recipe import Recipe

# Scales and offsets have few values and no reason to be small; decay of embeddings would also hit unseen pieces.
NOT_DECAYED = ["bias", "(?i)norm", "embedding"]


@dataclass(frozen=True)
class Fitted:
    """A trained classifier and its curves: metric name (loss, accuracy, val_loss, val_accuracy) -> value per epoch."""

    trained: TrainableClassifier
    history: dict[str, list[float]]


class WarmupThenLinear(tf_keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly over `warmup` steps, then stays or falls linearly to 0 at `steps` (Devlin et al. 2018)."""

    def __init__(self, peak: float, warmup: int, steps: int, decay: bool) -> None:
        self.peak, self.warmup, self.steps, self.decay = peak, warmup, steps, decay

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        done = tf.cast(step, tf.float32)
        rise = (done + 1.0) / self.warmup if self.warmup else 1.0
        fall = (self.steps - done) / (self.steps - self.warmup) if self.decay else 1.0
        return self.peak * tf.clip_by_value(tf.minimum(rise, fall), 0.0, 1.0)

    def get_config(self) -> dict[str, float]:
        return {"peak": self.peak, "warmup": self.warmup, "steps": self.steps, "decay": self.decay}


def fit(pair: Encoder, recipe: Recipe, train: pd.DataFrame, validation: pd.DataFrame) -> Fitted:
    """Trains on `train`, follows `validation`; both need the columns `text` and `intent`.

    Raises:
        DataError: a split has no rows.
        EncoderError: the encoder cannot be used.
        TrainingError: the loss is not finite.
    """
    for name, rows in (("train", train), ("validation", validation)):
        if rows.empty:
            raise DataError(f"the data set has no {name} split")
    tf_keras.utils.set_random_seed(recipe.seed)
    trainable = classifier.build(pair, recipe.sequence_length, recipe.dropout)
    batches = math.ceil(len(train) / recipe.batch_size)
    model = trainable.packed_model
    model.compile(
        optimizer=_optimizer(recipe, batches * recipe.epochs),
        loss=tf_keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(
        _batches(trainable, train, recipe).shuffle(len(train), seed=recipe.seed).batch(recipe.batch_size).map(_trim),
        validation_data=_batches(trainable, validation, recipe).batch(classifier.BATCH_ROWS).map(_trim),
        epochs=recipe.epochs,
        callbacks=[tf_keras.callbacks.TerminateOnNaN()],
        # A progress bar for people, a line an epoch for log files.
        verbose=1 if sys.stdout.isatty() else 2,
    ).history
    if not all(math.isfinite(value) for value in history["loss"]):
        raise TrainingError(f"the loss is not finite after {len(history['loss'])} epochs; lower the learning rate")
    return Fitted(trainable, {name: [float(value) for value in values] for name, values in history.items()})


def _optimizer(recipe: Recipe, steps: int) -> tf_keras.optimizers.Optimizer:
    rate = WarmupThenLinear(recipe.learning_rate, round(recipe.warmup_fraction * steps), steps, recipe.linear_decay)
    optimizer = tf_keras.optimizers.Adam(
        rate, weight_decay=recipe.weight_decay or None, global_clipnorm=recipe.clip_norm or None
    )
    optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return optimizer


def _batches(trainable: TrainableClassifier, rows: pd.DataFrame, recipe: Recipe) -> tf.data.Dataset:
    """Single rows: packed inputs at full length, one-hot intents."""
    indices = [INTENTS.index(intent) for intent in rows["intent"]]
    packed = classifier.pack(trainable.preprocess, rows["text"], recipe.sequence_length)
    return tf.data.Dataset.from_tensor_slices((packed, tf.one_hot(indices, len(INTENTS))))


def _trim(packed: classifier.Packed, intents: tf.Tensor) -> tuple[classifier.Packed, tf.Tensor]:
    return classifier.trim(packed), intents
