"""ModelServerConfig: read from the text file or made from flags, and checked."""

import errno
import os
import re
import sys
from pathlib import Path
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message
from tensorflow_serving.config import model_server_config_pb2

from model_server.errors import invalid_argument, not_found

# What the stock server takes for the start of a URI.
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9.]*://")
_PLATFORM = "tensorflow"

AnyMessage = TypeVar("AnyMessage", bound=Message)


def read_text(path: str, message: AnyMessage) -> AnyMessage:
    """Fills the message from a file in protobuf text format, and returns it.

    Raises:
        StatusError: NOT_FOUND without the file; INVALID_ARGUMENT if it is empty or does not parse. Where it does not
            parse, standard error says at which line.
    """
    file = Path(path)
    if not file.exists():
        raise not_found(f"{path}; {os.strerror(errno.ENOENT)}")
    # The stock server maps the file into memory, which neither a directory nor a file of no bytes allows.
    if file.is_dir():
        raise not_found(f"{path}; {os.strerror(errno.ENODEV)}")
    content = file.read_bytes()
    if not content:
        raise invalid_argument(f"{path}; {os.strerror(errno.EINVAL)}")
    try:
        return text_format.Parse(content, message)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        print(f"Error parsing text-format {message.DESCRIPTOR.full_name}: {error}", file=sys.stderr)  # noqa: T201
        raise invalid_argument(f"Invalid protobuf file: '{path}'") from None


def read_model_server_config(path: str) -> model_server_config_pb2.ModelServerConfig:
    """The configuration file; errors as in `read_text`."""
    return read_text(path, model_server_config_pb2.ModelServerConfig())


def single_model_config(name: str, base_path: str) -> model_server_config_pb2.ModelServerConfig:
    """The configuration that `--model_name` and `--model_base_path` stand for."""
    config = model_server_config_pb2.ModelServerConfig()
    config.model_config_list.config.add(name=name, base_path=base_path, model_platform=_PLATFORM)
    return config


def check(models: model_server_config_pb2.ModelConfigList) -> None:
    """Each model is listed once, with an absolute path or a URI; checked before a configuration takes any effect."""
    names: set[str] = set()
    for model in models.config:
        if model.name in names:
            raise invalid_argument(f"Illegal to list model {model.name} multiple times in config list")
        names.add(model.name)
    for model in models.config:
        if not (model.base_path.startswith("/") or _URI.match(model.base_path)):
            raise invalid_argument(
                f"Expected model {model.name} to have an absolute path or URI; got base_path()={model.base_path}"
            )


def check_same_platforms(
    old: model_server_config_pb2.ModelConfigList, new: model_server_config_pb2.ModelConfigList
) -> None:
    """A model that stays must keep its platform."""
    before = {model.name: _platform(model) for model in old.config}
    for model in new.config:
        if model.name in before and (platform := _platform(model)) != before[model.name]:
            raise invalid_argument(
                f"Illegal to change a model's platform. For model {model.name} platform was {before[model.name]} "
                f"and new platform requested is {platform}"
            )


def check_platforms(models: model_server_config_pb2.ModelConfigList) -> None:
    """Every model must be one that this server can load."""
    for model in models.config:
        if (platform := _platform(model)) != _PLATFORM:
            raise invalid_argument(f"Model {model.name} requests unsupported platform {platform}")


def _platform(model: model_server_config_pb2.ModelConfig) -> str:
    fields = "ModelServerConfig::model_type (deprecated) {} ModelServerConfig::model_platform, model name is "
    if model.model_type == model_server_config_pb2.MODEL_TYPE_UNSPECIFIED:
        if not model.model_platform:
            raise invalid_argument("Illegal setting neither " + fields.format("nor") + model.name)
        return str(model.model_platform)
    if model.model_platform:
        raise invalid_argument("Illegal setting both " + fields.format("and") + model.name)
    if model.model_type != model_server_config_pb2.TENSORFLOW:
        raise invalid_argument(f"ModelServerConfig::model_type choice {model.model_type} not supported.")
    return _PLATFORM
