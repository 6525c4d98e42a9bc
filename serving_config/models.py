"""The models of the configuration: where they lie on this machine, and which one the gateway asks."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from model_server.config.protos import ModelServerConfig
from serving_config.command import NAME_VARIABLE
from serving_config.errors import ConfigFileError, NoVersionError
from serving_config.files import ConfigFiles, read, write

STOCK_ROOT = "/models"
"""Where the stock image keeps its models, and so where `models.config` points."""


def resolve(files: ConfigFiles, models: Path, target: Path) -> list[str]:
    """Writes a copy of `models.config` to `target`, with every base path under /models moved under `models`.

    Returns the names of the models. Call it on a checked configuration.

    Raises:
        NoVersionError: a model has no version; the model server would wait for one for ever, with its ports closed.
    """
    config = read(files.models, ModelServerConfig())
    for model in config.model_config_list.config:
        path = PurePosixPath(model.base_path)
        if path.is_relative_to(STOCK_ROOT):
            model.base_path = str(models.resolve() / path.relative_to(STOCK_ROOT))
        if "://" not in model.base_path and not _has_version(Path(model.base_path)):
            raise NoVersionError(
                f"model {model.name} has no version under {model.base_path}; make one with `make train`, or with "
                f"`python -m export publish --classifier DIR --models {model.base_path}`"
            )
    write(target, config)
    return [model.name for model in config.model_config_list.config]


def choose(names: Sequence[str], path: Path, environment: Mapping[str, str]) -> str:
    """The model that the gateway asks: the only one in the file, or the one that GATEWAY_MODEL_NAME names.

    Raises:
        ConfigFileError: several models and no choice among them, or a choice that the file does not list.
    """
    chosen = environment.get(NAME_VARIABLE, "")
    if chosen in names:
        return chosen
    listed = f"{path}: lists {', '.join(names)}"
    if chosen:
        raise ConfigFileError(f"{listed}, but {NAME_VARIABLE} is {chosen}; set it to a listed model, or unset it")
    if len(names) > 1:
        raise ConfigFileError(
            f"{listed}, and a gateway asks one model: choose it with {NAME_VARIABLE}={names[0]}, or leave one model in "
            "the file"
        )
    return names[0]


def _has_version(base_path: Path) -> bool:
    # The model server takes every child whose name is a number.
    return base_path.is_dir() and any(child.name.isascii() and child.name.isdigit() for child in base_path.iterdir())
