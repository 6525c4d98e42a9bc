"""One loaded version of a model: its session, its signatures, and a count of the requests that use it."""

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from tensorflow.core.protobuf import meta_graph_pb2

from model_server.graph.saved_model import Signatures
from model_server.graph.session import Output, Runner
from model_server.graph.tensors import decode


class Signature:
    """A SignatureDef with its tensors looked up in the graph.

    Attributes:
        definition: the message as stored in the SavedModel.
        defaults: values for inputs that a request may leave out, by alias.
    """

    def __init__(self, definition: meta_graph_pb2.SignatureDef, session: Runner) -> None:
        self.definition = definition
        self._session = session
        self.input_names = {alias: info.name for alias, info in definition.inputs.items()}
        self.output_names = {alias: info.name for alias, info in definition.outputs.items()}
        self.defaults: Mapping[str, np.ndarray] = {
            alias: decode(value, alias) for alias, value in definition.defaults.items()
        }

    # Not in __init__: a tensor that is missing from the graph fails the request that needs it, not the load.
    @cached_property
    def inputs(self) -> Mapping[str, Output]:
        """Graph tensors of the inputs, by alias."""
        return {alias: self._session.output(name) for alias, name in self.input_names.items()}

    @cached_property
    def outputs(self) -> Mapping[str, Output]:
        """Graph tensors of the outputs, by alias."""
        return {alias: self._session.output(name) for alias, name in self.output_names.items()}

    def run(self, feeds: Mapping[str, np.ndarray], aliases: Sequence[str], timeout: float | None) -> list[Any]:
        """Values of the outputs, in the order asked for; `timeout` in seconds."""
        inputs, outputs = self.inputs, self.outputs
        return self._session.run(
            {inputs[alias]: value for alias, value in feeds.items()}, [outputs[alias] for alias in aliases], timeout
        )


class Servable:
    """A loaded version. A request takes a lease on it; the session is closed after the last lease is given back."""

    def __init__(
        self, name: str, version: int, session: Runner, signatures: Signatures, checks_method_names: bool
    ) -> None:
        """`checks_method_names`: Classify and Regress demand a signature exported for them."""
        self.name = name
        self.version = version
        self.checks_method_names = checks_method_names
        self.signatures = {key: Signature(definition, session) for key, definition in signatures.items()}
        self._session = session
        self._leases = 0
        self._retired = False
        # Taken on every request: the lock itself, without the condition around it.
        self._lock = threading.Lock()
        self._free = threading.Condition(self._lock)

    def run(self, feeds: Mapping[str, np.ndarray], fetches: Sequence[str], timeout: float | None) -> list[Any]:
        """Values of graph tensors, in order, across signatures; feeds by tensor name, `timeout` in seconds."""
        outputs = {self._session.output(name): value for name, value in feeds.items()}
        return self._session.run(outputs, [self._session.output(name) for name in fetches], timeout)

    def acquire(self) -> bool:
        """Takes a lease; False if the version is being dropped."""
        with self._lock:
            if self._retired:
                return False
            self._leases += 1
            return True

    def __enter__(self) -> "Servable":
        return self

    def __exit__(self, *failure: object) -> None:
        """Gives a lease back."""
        with self._lock:
            self._leases -= 1
            if self._retired and not self._leases:
                self._free.notify_all()

    def retire(self) -> None:
        """Refuses new leases, waits for the given ones, then closes the session."""
        with self._free:
            self._retired = True
            while self._leases:
                self._free.wait()
        self._session.close()
