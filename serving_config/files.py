"""The configuration files: where they are, and how they are read and written."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from serving_config.errors import ConfigFileError

SHIPPED = Path(__file__).parent


@dataclass(frozen=True)
class ConfigFiles:
    """The three files that the model server starts from."""

    directory: Path = SHIPPED

    @property
    def models(self) -> Path:
        """ModelServerConfig: which models, from where, which versions."""
        return self.directory / "models.config"

    @property
    def batching(self) -> Path:
        """BatchingParameters."""
        return self.directory / "batching.config"

    @property
    def monitoring(self) -> Path:
        """MonitoringConfig."""
        return self.directory / "monitoring.config"


def read(path: Path, message: Any) -> Any:
    """The file as a message of the type of `message`, which it fills.

    Raises:
        ConfigFileError: missing, empty, or no such text proto; names the line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigFileError(f"{path}: cannot be read: {error.strerror}; restore it from the repository") from None
    if not content:
        # The stock server maps files into memory and refuses one of no bytes, though the message would be legal.
        raise ConfigFileError(f"{path}: is empty; restore it from the repository")
    kind = message.DESCRIPTOR.name
    try:
        return text_format.Parse(content.decode(), message)
    except UnicodeDecodeError as error:
        raise ConfigFileError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except text_format.ParseError as error:
        line = error.GetLine()
        what = str(error).split(" : ", 1)[-1]
        raise ConfigFileError(f"{path}:{line}: no {kind} in protobuf text format: {what}") from None


def write(path: Path, message: Any) -> None:
    """Writes the message in text format, whole or not at all; makes the folder if needed."""
    write_bytes(path, text_format.MessageToString(message).encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes the file whole or not at all: into a sibling first, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, sibling = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp gives the file to its owner alone.
        Path(sibling).chmod(0o644)
        Path(sibling).replace(path)
    except BaseException:
        Path(sibling).unlink(missing_ok=True)
        raise
