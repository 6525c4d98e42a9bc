"""Batches: every row once, like lengths together, context left out at random, and the same for the same seed."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow_hub as hub

from training.data import dataset
from training.fit import recipe
from training.fit.batches import Batch, PackedRows

QUICK = recipe.load("quick", context="previous", role_dropout=0.2, history_dropout=0.2)


@pytest.fixture(scope="module")
def preprocess(tiny_pair: Path) -> object:
    return hub.load(str(tiny_pair / "preprocess"))


@pytest.fixture(scope="module")
def packed(preprocess: object) -> PackedRows:
    return PackedRows.of(preprocess, dataset.load(dataset.SAMPLE).split("validation"), QUICK)


def padding(batches: list[Batch]) -> float:
    masks = [np.asarray(batch.packed["input_mask"]) for batch in batches]
    return float(1 - sum(mask.sum() for mask in masks) / sum(mask.size for mask in masks))


def with_second_segment(batches: list[Batch]) -> float:
    rows = [row.any() for batch in batches for row in batch.packed["input_type_ids"]]
    return float(np.mean(rows))


@pytest.mark.parametrize("buckets", [True, False])
def test_every_row_comes_once_with_its_own_target(packed: PackedRows, buckets: bool) -> None:
    batches = list(packed.for_training(dataclasses.replace(QUICK, length_buckets=buckets), epoch=0))
    assert sorted(np.concatenate([batch.rows for batch in batches])) == list(range(len(packed.targets)))
    assert sorted(np.concatenate([batch.rows for batch in packed.for_evaluation()])) == list(range(len(packed.targets)))


def test_buckets_save_padding(packed: PackedRows) -> None:
    loose = list(packed.for_training(dataclasses.replace(QUICK, length_buckets=False), epoch=0))
    bucketed = list(packed.for_training(QUICK, epoch=0))
    assert padding(bucketed) < 0.6 * padding(loose)
    assert all(batch.packed["input_mask"].shape[1] % 8 == 0 for batch in bucketed)


def test_same_seed_and_epoch_give_the_same_batches_and_others_do_not(packed: PackedRows) -> None:
    def rows(seed: int, epoch: int) -> list[list[int]]:
        return [batch.rows.tolist() for batch in packed.for_training(dataclasses.replace(QUICK, seed=seed), epoch)]

    assert rows(0, 1) == rows(0, 1)
    assert rows(0, 1) != rows(0, 2) != rows(1, 2)


def test_context_is_left_out_as_often_as_the_recipe_says(packed: PackedRows) -> None:
    def share(role: float, history: float) -> float:
        dropped = dataclasses.replace(QUICK, role_dropout=role, history_dropout=history)
        return with_second_segment(list(packed.for_training(dropped, epoch=0)))

    assert share(role=0, history=0) == 1
    assert share(role=1, history=1) == 0
    # First turns have no previous text, whatever is dropped.
    assert 0.5 < share(role=1, history=0) < 1
    assert 0.8 < share(role=0.2, history=0.2) < 1


def test_evaluation_has_all_context_and_a_recipe_without_context_none(preprocess: object, packed: PackedRows) -> None:
    assert with_second_segment(list(packed.for_evaluation())) == 1
    alone = PackedRows.of(preprocess, dataset.load(dataset.SAMPLE).split("test"), recipe.load("quick", context="none"))
    assert with_second_segment(list(alone.for_training(recipe.load("quick", context="none"), epoch=0))) == 0
