"""A server that a test has for itself or for its module, with everything needed to change what it serves."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from google.protobuf import text_format
from tensorflow_serving.apis.model_management_pb2 import ReloadConfigResponse
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from tests.model_server.client import STATE_SECONDS, Client, predict_request
from tests.model_server.toy import Publish
from tests.servers import ModelServer, launch, wait_until_ready

# In microseconds, as --load_retry_interval_micros is given.
SECOND = 1_000_000

# No model has this version. Where a policy lists it, the log names it at each look at the disk.
MISSING = 77

# Status code and message.
Refusal = tuple[str, str]


def model(
    name: str, base_path: Path | str, policy: str = "", labels: Mapping[str, int] | None = None, **fields: Any
) -> ModelConfig:
    """One model; `policy` in text format, such as `all {}`."""
    config = ModelConfig(name=name, base_path=str(base_path), version_labels=labels)
    config.MergeFrom(ModelConfig(**{"model_platform": "tensorflow"} | fields))
    if policy:
        text_format.Parse(policy, config.model_version_policy)
    return config


def listed(*models: ModelConfig) -> ModelServerConfig:
    """A configuration of these models, of none too."""
    config = ModelServerConfig()
    config.model_config_list.SetInParent()
    config.model_config_list.config.extend(models)
    return config


def write(file: Path, content: ModelServerConfig | str) -> str:
    """Puts a configuration in place by rename, as a reader may come at any moment; returns the flag."""
    text = content if isinstance(content, str) else text_format.MessageToString(content)
    incoming = file.with_suffix(".incoming")
    incoming.write_text(text)
    incoming.rename(file)
    return f"--model_config_file={file}"


def refusal(call: grpc.Future) -> Refusal:
    """Code and message of a call that must fail."""
    error = call.exception()
    assert error is not None, call.result()
    return error.code().name, error.details()


def configure(folder: Path, publish: Publish, *names: str, policy: str = "") -> str:
    """Models with version 1 each, under their own base paths; returns the flag."""
    for name in names:
        (folder / name).mkdir()
        publish(folder / name, 1)
    return write(folder / "models.config", listed(*(model(name, folder / name, policy) for name in names)))


def attempt(name: str, version: int) -> str:
    """What the log says of each attempt that failed."""
    return f"Loading servable: {{name: {name} version: {version}}} failed: "


@dataclass(frozen=True)
class Scene:
    """Server, connection, log (standard error), and a folder in which base paths may be made."""

    server: ModelServer
    client: Client
    log: Path
    folder: Path

    def base_path(self, name: str) -> Path:
        """A new empty base path."""
        path = self.folder / name
        path.mkdir()
        return path

    def reload(self, *models: ModelConfig) -> ReloadConfigResponse:
        """These models, and no others."""
        return self.client.start_reload(listed(*models)).result()

    def serve(self, publish: Publish, *names: str, policy: str = "") -> None:
        """Version 1 of these models, each under a new base path, and no others."""
        for name in names:
            publish(self.base_path(name), 1)
        self.reload(*(model(name, self.folder / name, policy) for name in names))

    def refused(self, *models: ModelConfig) -> Refusal:
        """What the server says against these models."""
        return refusal(self.client.start_reload(listed(*models)))

    def unserved(self, name: str) -> Refusal:
        """What a client gets that asks for a model which is not served."""
        return refusal(self.client.start_predict(predict_request({"x": np.float32([0])}, name=name)))

    @property
    def said(self) -> str:
        """The log so far."""
        return self.log.read_text(errors="replace")

    def wait_for_log(self, text: str, times: int = 1) -> None:
        """Reads the log until it says this, this often."""
        deadline = time.monotonic() + STATE_SECONDS
        while time.monotonic() < deadline:
            if self.said.count(text) >= times:
                return
            time.sleep(0.02)
        raise AssertionError(f"{text!r} is not {times} times in:\n{self.said}")

    def wait_for_look(self, name: str) -> None:
        """Returns when the server has looked at the whole disk since the call; the model's policy lists MISSING."""
        line = f"Version {MISSING} of servable {name}"
        # The look that writes the next line may have begun before the call.
        self.wait_for_log(line, times=self.said.count(line) + 2)


@contextmanager
def unready_scene(folder: Path, *flags: str) -> Iterator[Scene]:
    """A server with these flags, not waited for; in the folder are its log and the base paths."""
    log = folder / "server.log"
    with log.open("w") as sink, launch("--grpc_max_threads=32", *flags, stderr=sink.fileno()) as server:
        client = Client(server.address)
        yield Scene(server, client, log, folder)
        client.close()


@contextmanager
def scene(folder: Path, *flags: str) -> Iterator[Scene]:
    """A server with these flags, ready."""
    with unready_scene(folder, *flags) as found:
        wait_until_ready(found.server)
        yield found
