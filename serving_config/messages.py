"""Makes the gateway's `messages.binpb` from tensorflow-serving-api."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet

MODULES = ("predict_pb2", "get_model_metadata_pb2", "get_model_status_pb2")
"""What the gateway says to the model server, in `tensorflow_serving.apis`."""


def file_descriptor_set() -> bytes:
    """The modules' proto files and all their imports, each after what it imports, as a serialized FileDescriptorSet."""
    with _tensorflow_without_its_runtime():
        files = [importlib.import_module(f"tensorflow_serving.apis.{name}").DESCRIPTOR for name in MODULES]
    found: dict[str, bytes] = {}
    for file in files:
        _collect(file, found)
    result = FileDescriptorSet()
    for content in found.values():
        result.file.add().MergeFromString(content)
    return result.SerializeToString(deterministic=True)


def _collect(file: Any, found: dict[str, bytes]) -> None:
    if file.name not in found:
        for imported in file.dependencies:
            _collect(imported, found)
        found[file.name] = file.serialized_pb


@contextmanager
def _tensorflow_without_its_runtime() -> Iterator[None]:
    """Lets generated modules be imported from inside the tensorflow package, without running the package's own code.

    That code takes five seconds and half a gigabyte; the generated modules need none of it. A bare module of the name,
    with the real one's search path, stands in for the package.
    """
    before = set(sys.modules)
    if "tensorflow" not in before:
        spec = importlib.util.find_spec("tensorflow")
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError("tensorflow is not installed; install requirements.txt", name="tensorflow")
        bare = ModuleType("tensorflow")
        bare.__path__ = list(spec.submodule_search_locations)
        sys.modules["tensorflow"] = bare
    try:
        yield
    finally:
        # Whoever imports tensorflow later in this process gets the real one.
        if "tensorflow" not in before:
            for name in set(sys.modules) - before:
                if name.partition(".")[0] in ("tensorflow", "tensorflow_serving"):
                    del sys.modules[name]
