"""Recipes: the shipped ones, and everything that a recipe file may get wrong."""

import itertools
import re
from pathlib import Path

import pytest

from training.errors import RecipeError
from training.fit import recipe


def test_reference_is_as_published() -> None:
    reference = recipe.load("reference")
    assert reference.encoder.startswith("https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-2_H-256_A-4/")
    assert (reference.sequence_length, reference.batch_size, reference.epochs) == (128, 32, 5)
    assert (reference.learning_rate, reference.dropout) == (1e-5, 0.1)
    assert (reference.weight_decay, reference.warmup_fraction, reference.linear_decay, reference.clip_norm) == (
        0,
        0,
        False,
        0,
    )


@pytest.mark.parametrize("name", recipe.names())
def test_every_hyper_parameter_has_its_reason_above_it(name: str) -> None:
    assert recipe.load(name)
    lines = (recipe.RECIPES / f"{name}.toml").read_text().splitlines()
    for above, line in itertools.pairwise(lines):
        if "=" in line and not line.startswith("#"):
            assert above.startswith("# "), f"{line} has no reason"


def test_overrides_replace_only_what_is_given() -> None:
    changed = recipe.load("quick", epochs=1, seed=None)
    assert changed.epochs == 1
    assert changed.seed == recipe.load("quick").seed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("epochs = 4", "epoch = 4"), "unknown key 'epoch'; the keys are encoder, sequence_length"),
        (("epochs = 4", ""), "missing required field `epochs`"),
        (("epochs = 4", 'epochs = "4"'), "Expected `int`, got `str` - at `$.epochs`"),
        (("epochs = 4", "epochs = true"), "Expected `int`, got `bool` - at `$.epochs`"),
        (("epochs = 4", "epochs = 0"), "Expected `int` >= 1 - at `$.epochs`"),
        (("epochs = 4", "epochs ="), "Invalid value"),
        (('keep = "best"', 'keep = "first"'), "Invalid enum value 'first' - at `$.keep`"),
        (("sequence_length = 64", "sequence_length = 513"), "Expected `int` <= 512 - at `$.sequence_length`"),
    ],
)
def test_wrong_recipe_is_refused_by_key(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text((recipe.RECIPES / "quick.toml").read_text().replace(*change))
    with pytest.raises(RecipeError, match=re.escape(message)):
        recipe.load(str(file))


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="no recipe 'fast'; there are default, quick, reference"):
        recipe.load("fast")
