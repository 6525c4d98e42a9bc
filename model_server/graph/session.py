"""A TensorFlow session, run through the C API.

`tf.compat.v1.Session.run` checks and casts feeds in Python first; the raw call skips that, so dtype, shape and op
errors are the runtime's own words, which are the stock server's. It also costs less.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.python.client import pywrap_tf_session as c_api
from tensorflow.python.client import session as python_session
from tensorflow.python.framework import ops
from tensorflow.python.framework.errors_impl import OpError

from model_server.errors import Code, StatusError, invalid_argument
from model_server.graph.run_pools import run_pools
from model_server.metrics import metrics

# Opaque to Python: one output of one op of a graph. Equal ones are the same one.
Output = Any


class Runner(Protocol):
    """What a servable needs of a session; the methods are `Session`'s."""

    def output(self, name: str) -> Output: ...

    def run(
        self, feeds: Mapping[Output, np.ndarray], fetches: Sequence[Output], timeout: float | None
    ) -> list[Any]: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Placeholder:
    """A tensor that is fed.

    Attributes:
        name: `op:index`.
        dtype: None for what NumPy has no type for.
        shape: without the first dimension, None for any size; None if even the rank is open.
    """

    output: Output
    name: str
    dtype: np.dtype[Any] | None
    shape: tuple[int | None, ...] | None

    def fits(self, array: np.ndarray) -> bool:
        """Whether the graph was made for such an array; the first dimension is not compared."""
        if array.dtype != self.dtype:
            return False
        wanted, found = self.shape, array.shape[1:]
        if wanted is None or wanted == found:
            return True
        return len(wanted) == len(found) and all(want in (None, size) for want, size in zip(wanted, found, strict=True))


def status(error: OpError) -> StatusError:
    """The runtime's error, with the words of the C++ code."""
    return StatusError(Code(error.error_code), error.message)


class Session:
    """One graph and its session. Thread-safe once built; `close` needs all runs to have ended."""

    def __init__(self, graph: ops.Graph, config: ConfigProto) -> None:
        self._graph = graph
        self._session = python_session.Session(graph=graph, config=config)
        # Done by every Session.run, and needed once for a graph that no longer grows.
        self._session._extend_graph()
        self._handle = self._session._session
        self._pools = run_pools(config)

    def output(self, name: str) -> Output:
        """The output called `op:index`, or `op` for its first; an unknown one is refused in the runtime's words."""
        op, _, digits = name.partition(":")
        index = int(digits) if digits.isdecimal() else 0
        try:
            operation = self._graph.get_operation_by_name(op)
        except (KeyError, ValueError):
            raise invalid_argument(
                f"Tensor {op}:{index}, specified in either feed_devices or fetch_devices was not found in the Graph"
            ) from None
        count = len(operation.outputs)
        if index >= count:
            raise StatusError(
                Code.OUT_OF_RANGE,
                f"Node '{op}' (type: '{operation.type}', num of outputs: {count}) does not have output {index}",
            )
        return operation.outputs[index]._as_tf_output()

    def placeholder(self, output: Output) -> Placeholder:
        """The name, dtype and shape that the graph declares for this output."""
        tensor = self._graph.get_tensor_by_name(f"{c_api.TF_OperationName(output.oper)}:{output.index}")
        try:
            dtype = np.dtype(tensor.dtype.as_numpy_dtype)
        except TypeError:
            dtype = None
        rank = tensor.shape.rank
        return Placeholder(output, tensor.name, dtype, None if rank is None else tuple(tensor.shape.as_list()[1:]))

    def run(self, feeds: Mapping[Output, np.ndarray], fetches: Sequence[Output], timeout: float | None) -> list[Any]:
        """Values of the fetches, in order; `timeout` in seconds. Errors are the runtime's own."""
        return self._pools.run(timeout, lambda options: self._run(options, feeds, fetches, []))

    def run_op(self, name: str, feeds: Mapping[str, Path]) -> None:
        """Runs one op for its effect, file names fed by tensor name."""
        paths = {self.output(tensor): np.array(str(path).encode(), dtype=object) for tensor, path in feeds.items()}
        target = self._graph.get_operation_by_name(name)._c_op
        # By a pool too: a load must not queue behind a request that takes long.
        self._pools.run(None, lambda options: self._run(options, paths, [], [target]))

    def _run(
        self, options: Any, feeds: Mapping[Output, np.ndarray], fetches: Sequence[Output], targets: list[Any]
    ) -> list[Any]:
        try:
            values: list[Any] = c_api.TF_SessionRun_wrapper(self._handle, options, feeds, fetches, targets, None)
        except OpError as error:
            raise status(error) from None
        metrics.graph_runs.add()
        return values

    def close(self) -> None:
        """Frees the session's memory."""
        self._handle = None
        self._session.close()
