"""Recipes: every hyper-parameter of a training run, in a small TOML file with the reason on the line above it.

There are no defaults, so that a typo in a key is an error.
"""

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from training.errors import RecipeError

RECIPES = Path(__file__).parents[1] / "recipes"
Share = Annotated[float, Meta(ge=0, le=1)]


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained. The recipe files give the reasons for their values.

    Attributes:
        encoder: see `training.encoder.encoders`.
        sequence_length: most word pieces per utterance, [CLS] and [SEP] included.
        learning_rate: Adam's highest step.
        weight_decay: decoupled (AdamW), not on biases, layer norms and embeddings; 0 = plain Adam.
        warmup_fraction: share of all steps in which the learning rate rises from 0.
        linear_decay: whether it then falls to 0 at the last step.
        clip_norm: largest global norm of a gradient; 0 = any.
        dropout: on the pooled output, before the dense layer.
        train_embeddings: whether word embeddings are trained too.
        length_buckets: whether the rows of a batch have similar lengths.
        context: "none"; "previous": role and previous text are read as a second segment; "prior": they shift the
            probabilities only, see `training.fit.prior`.
        role_dropout, history_dropout: share of rows that are trained without their role, without their previous text.
        keep: the "best" epoch by validation accuracy, or the "last".
        calibrate: whether a temperature is fitted on validation.
        weights: "float32", or "int8": rounded to 8 bits, and stored so.
    """

    encoder: str
    # [CLS], one piece, [SEP]; BERT has 512 positions.
    sequence_length: Annotated[int, Meta(ge=3, le=512)]
    batch_size: Annotated[int, Meta(ge=1, le=4096)]
    epochs: Annotated[int, Meta(ge=1, le=1000)]
    learning_rate: Share
    weight_decay: Share
    warmup_fraction: Share
    linear_decay: bool
    clip_norm: float
    dropout: Annotated[float, Meta(ge=0, lt=1)]
    train_embeddings: bool
    length_buckets: bool
    context: Literal["none", "previous", "prior"]
    role_dropout: Share
    history_dropout: Share
    keep: Literal["best", "last"]
    calibrate: bool
    weights: Literal["float32", "int8"]
    seed: int


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
    fields = [field.name for field in dataclasses.fields(Recipe)]
    for key in values.keys() - fields:
        raise RecipeError(f"{path}: unknown key {key!r}; the keys are {', '.join(fields)}")
    try:
        return msgspec.convert(values, Recipe)
    except msgspec.ValidationError as error:
        raise RecipeError(f"{path}: {error}; {Path(__file__).name} says what each key takes") from error
