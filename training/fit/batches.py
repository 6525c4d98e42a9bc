"""Batches of rows that are tokenised once; the same seed and epoch give the same batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from training.data.intents import INTENTS
from training.fit import context
from training.fit.context import LENGTH_MULTIPLE, Packed
from training.fit.recipe import Recipe

# The rows of this many batches are sorted by length together: more means less padding, and less random batches.
BUCKETED_BATCHES = 16
# Rows of a batch in evaluation.
ROWS = 64


@dataclass(frozen=True)
class Batch:
    """Packed inputs, int32 [rows, length] each, and the rows' places in their split."""

    packed: Packed
    rows: np.ndarray


@dataclass(frozen=True)
class PackedRows:
    """A split, tokenised.

    Attributes:
        packed: int32 [variants, rows, length] each. Variant 0 is the text alone; with context, 1 is the text with the
            role, 2 with the previous text, 3 with both.
        targets: float32 [rows, 11], one-hot.
    """

    packed: dict[str, np.ndarray]
    targets: np.ndarray

    @classmethod
    def of(cls, preprocess: Any, rows: pd.DataFrame, recipe: Recipe) -> "PackedRows":
        """Tokenises the texts of a split, with their context if the recipe reads it."""
        texts, roles, previous = (tf.constant(rows[name].tolist()) for name in ("text", "role", "previous"))
        unknown = tf.zeros_like(texts)
        variants = [[texts]]
        if recipe.context == "previous":
            pairs = ((roles, unknown), (unknown, previous), (roles, previous))
            variants += [[texts, context.second_segment(*pair)] for pair in pairs]
        packed = [context.pack(preprocess, segments, recipe.sequence_length) for segments in variants]
        length = max(int(variant["input_mask"].shape[1]) for variant in packed)
        indices = [INTENTS.index(intent) for intent in rows["intent"]]
        return cls(
            {
                name: np.stack(
                    [np.pad(variant[name], ((0, 0), (0, length - variant[name].shape[1]))) for variant in packed]
                )
                for name in packed[0]
            },
            np.eye(len(INTENTS), dtype=np.float32)[indices],
        )

    def for_training(self, recipe: Recipe, epoch: int) -> Iterator[Batch]:
        """One epoch in random order. Random rows lose their context, so that the model also learns to do without it."""
        random = np.random.default_rng([recipe.seed, epoch])
        order = random.permutation(len(self.targets))
        variants = np.zeros(len(order), int)
        if recipe.context == "previous":
            variants = (random.random(len(order)) >= recipe.role_dropout).astype(int)
            variants += 2 * (random.random(len(order)) >= recipe.history_dropout)
        size = recipe.batch_size
        if recipe.length_buckets:
            lengths = self.packed["input_mask"].sum(axis=2)[variants, np.arange(len(order))]
            chunk = size * BUCKETED_BATCHES
            chunks = [order[start : start + chunk] for start in range(0, len(order), chunk)]
            order = np.concatenate([rows[np.argsort(lengths[rows], kind="stable")] for rows in chunks])
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        if recipe.length_buckets:
            batches = [batches[index] for index in random.permutation(len(batches))]
        for rows in batches:
            yield self._batch(variants[rows], rows)

    def for_evaluation(self) -> Iterator[Batch]:
        """Every row once, with all the context there is, rows of like length together."""
        fullest = len(self.packed["input_mask"]) - 1
        order = np.argsort(self.packed["input_mask"][fullest].sum(axis=1), kind="stable")
        for start in range(0, len(order), ROWS):
            rows = order[start : start + ROWS]
            yield self._batch(np.full(len(rows), fullest), rows)

    def _batch(self, variants: np.ndarray, rows: np.ndarray) -> Batch:
        longest = self.packed["input_mask"][variants, rows].sum(axis=1).max()
        length = -(-longest // LENGTH_MULTIPLE) * LENGTH_MULTIPLE
        return Batch({name: values[variants, rows, :length] for name, values in self.packed.items()}, rows)
