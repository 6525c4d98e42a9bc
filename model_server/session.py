"""A TensorFlow session, run through the C API.

`tf.compat.v1.Session.run` checks and casts feeds in Python first; the raw call skips that, so dtype, shape and op
errors are the runtime's own words, which are the stock server's. It also costs less.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.config_pb2 import RunOptions
from tensorflow.python.client import pywrap_tf_session as c_api

from model_server.errors import Code, StatusError, not_found

# Opaque to Python: one output of one op of a graph.
Output = Any


def status(error: tf.errors.OpError) -> StatusError:
    """The runtime's error as it is worded in C++."""
    return StatusError(Code(error.error_code), error.message)


class Session:
    """One graph and its session. Thread-safe once built; `close` needs all runs to have ended."""

    def __init__(self, graph: tf.Graph, config: tf.compat.v1.ConfigProto) -> None:
        self._graph = graph
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        # Done by every Session.run, and needed once for a graph that no longer grows.
        self._session._extend_graph()
        self._handle = self._session._session

    def output(self, name: str) -> Output:
        """The output called `op:index`.

        Raises:
            StatusError: NOT_FOUND, no such tensor in the graph.
        """
        try:
            return self._graph.get_tensor_by_name(name)._as_tf_output()
        except (KeyError, ValueError):
            raise not_found(
                f"Tensor {name}, specified in either feed_devices or fetch_devices was not found in the Graph"
            ) from None

    def run(self, feeds: Mapping[Output, np.ndarray], fetches: Sequence[Output], timeout: float | None) -> list[Any]:
        """Values of the fetches, in order; `timeout` in seconds.

        Raises:
            StatusError: the runtime's own.
        """
        if timeout is None:
            return self._run(None, feeds, fetches, [])
        # At least 1 ms: 0 would mean no limit.
        milliseconds = max(1, int(timeout * 1000))
        options = c_api.TF_NewBufferFromString(RunOptions(timeout_in_ms=milliseconds).SerializeToString())
        try:
            return self._run(options, feeds, fetches, [])
        finally:
            c_api.TF_DeleteBuffer(options)

    def run_op(self, name: str, feeds: Mapping[str, Path]) -> None:
        """Runs one op for its effect, file names fed by tensor name.

        Raises:
            StatusError: the runtime's own.
        """
        paths = {self.output(tensor): np.array(str(path).encode(), dtype=object) for tensor, path in feeds.items()}
        self._run(None, paths, [], [self._graph.get_operation_by_name(name)._c_op])

    def _run(
        self, options: Any, feeds: Mapping[Output, np.ndarray], fetches: Sequence[Output], targets: list[Any]
    ) -> list[Any]:
        try:
            values: list[Any] = c_api.TF_SessionRun_wrapper(self._handle, options, feeds, fetches, targets, None)
        except tf.errors.OpError as error:
            raise status(error) from None
        return values

    def close(self) -> None:
        """Frees the session's memory."""
        self._handle = None
        self._session.close()
