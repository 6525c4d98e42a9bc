"""Recipes: every hyper-parameter of a training run, in a small TOML file with the reason on the line above it.

An unknown key, a missing key or a value of the wrong kind is an error: a typo must never train with a default.
"""

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import RecipeError

RECIPES = Path(__file__).parents[1] / "recipes"
CHOICES = {
    "context": ("none", "previous", "prior"),
    "keep": ("best", "last"),
    "weights": ("float32", "int8"),
}


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained. The reasons for the values stand in the recipe files.

    Attributes:
        encoder: see `training.encoders`.
        sequence_length: most word pieces per utterance, [CLS] and [SEP] included.
        learning_rate: Adam's highest step.
        weight_decay: decoupled (AdamW), not on biases, layer norms and embeddings; 0 = plain Adam.
        warmup_fraction: share of all steps in which the learning rate rises from 0.
        linear_decay: whether it then falls to 0 at the last step.
        clip_norm: largest global norm of a gradient; 0 = any.
        dropout: on the pooled output, before the dense layer.
        train_embeddings: whether word embeddings are trained too.
        length_buckets: whether batches hold rows of like length; else rows as they come.
        context: "none"; "previous": role and previous text are read as a second segment; "prior": they shift the
            probabilities only, see `training.prior`.
        role_dropout, history_dropout: share of rows that are trained without their role, without their previous text.
        keep: the "best" epoch by validation accuracy, or the "last".
        calibrate: whether a temperature is fitted on validation.
        weights: "float32", or "int8": rounded to 8 bits, and stored so.
    """

    encoder: str
    sequence_length: int
    batch_size: int
    epochs: int
    learning_rate: float
    weight_decay: float
    warmup_fraction: float
    linear_decay: bool
    clip_norm: float
    dropout: float
    train_embeddings: bool
    length_buckets: bool
    context: str
    role_dropout: float
    history_dropout: float
    keep: str
    calibrate: bool
    weights: str
    seed: int

    def __post_init__(self) -> None:
        for key, choices in CHOICES.items():
            if (value := getattr(self, key)) not in choices:
                raise RecipeError(f"{key} = {value!r}: expected one of {', '.join(choices)}")
        for key, low, high in (
            ("sequence_length", 3, 512),  # [CLS], one piece, [SEP]; BERT has 512 positions
            ("batch_size", 1, 4096),
            ("epochs", 1, 1000),
            ("learning_rate", 0, 1),
            ("weight_decay", 0, 1),
            ("warmup_fraction", 0, 1),
            ("dropout", 0, 0.99),
            ("role_dropout", 0, 1),
            ("history_dropout", 0, 1),
        ):
            value = getattr(self, key)
            if not low <= value <= high:
                raise RecipeError(f"{key} = {value}: expected {low} to {high}")


def names() -> list[str]:
    """The recipes that come with the project."""
    return sorted(file.stem for file in RECIPES.glob("*.toml"))


def load(name: str, **overrides: Any) -> Recipe:
    """Reads a recipe by its name or by the path of a TOML file; `overrides` that are not None replace its values.

    Raises:
        RecipeError: no such recipe, not TOML, or a key or value that does not belong.
    """
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    try:
        values = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise RecipeError(f"no recipe {name!r}; there are {', '.join(names())}, or name a .toml file") from None
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: {error}") from error
    values |= {key: value for key, value in overrides.items() if value is not None}
    fields = {field.name: field.type for field in dataclasses.fields(Recipe)}
    for key in values.keys() - fields.keys():
        raise RecipeError(f"{path}: unknown key {key!r}; the keys are {', '.join(fields)}")
    for key, kind in fields.items():
        if key not in values:
            raise RecipeError(f"{path}: {key} is missing")
        # 1 is a fine float, but True is no number.
        if kind is float and type(values[key]) is int:
            values[key] = float(values[key])
        if type(values[key]) is not kind:
            raise RecipeError(f"{path}: {key} = {values[key]!r}: expected {kind.__name__}")
    try:
        return Recipe(**values)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from None
