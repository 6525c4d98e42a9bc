"""Decides by flags and by the models' own parameters which sessions run requests in batches."""

import os
from pathlib import Path

from model_server.batching.batch_queue import BatchThreads
from model_server.batching.batching import BatchingSession
from model_server.command_line import Options
from model_server.config.batching_parameters import queue_parameters
from model_server.config.config import read_text
from model_server.config.protos import BatchingParameters
from model_server.errors import invalid_argument
from model_server.graph.session import Runner, Session

# In a version's directory, where models bring their own parameters.
MODEL_FILE = "batching_params.pbtxt"


class Batcher:
    """Wraps the session of every version that is loaded; all share one limit of batches that run at once."""

    def __init__(self, options: Options) -> None:
        """Reads the file of common parameters, if the flags name one."""
        self._is_enabled = options.enable_batching
        self._is_per_model = options.enable_per_model_batching_parameters
        self._common = BatchingParameters()
        if options.batching_parameters_file:
            read_text(options.batching_parameters_file, self._common)
        threads = os.cpu_count() or 1
        if self._common.HasField("num_batch_threads"):
            threads = self._common.num_batch_threads.value
        if threads < 1:
            raise invalid_argument(f"num_batch_threads must be positive; was {threads}")
        self._threads = BatchThreads(threads)

    def wrap(self, session: Session, directory: Path) -> Runner:
        """The session of the version in this directory, with batching if it is to have it."""
        if not self._is_enabled:
            return session
        message = self._common
        if self._is_per_model:
            file = directory / MODEL_FILE
            if not file.exists():
                return session
            message = read_text(str(file), BatchingParameters())
        return BatchingSession(session, queue_parameters(message), self._threads)
