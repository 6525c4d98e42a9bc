"""Decides which sessions join their runs: the flags, and the parameters that models bring along."""

from pathlib import Path

from model_server.batching.batch_queue import BatchThreads
from model_server.batching.batching import BatchingSession
from model_server.command_line import Options
from model_server.config.batching_parameters import batch_threads, queue_parameters, read_model_file, read_server_file
from model_server.graph.session import Runner, Session


class Batcher:
    """Wraps the session of every version that is loaded; all share one limit of batches that run at once."""

    def __init__(self, options: Options) -> None:
        """Raises:
        StatusError: the file of parameters is missing, does not parse, or allows no batch to run.
        """
        self._is_enabled = options.enable_batching
        self._is_per_model = options.enable_per_model_batching_parameters
        self._common = read_server_file(options)
        self._threads = BatchThreads(batch_threads(self._common))

    def wrap(self, session: Session, directory: Path) -> Runner:
        """The session of the version in this directory, with batching if it is to have it.

        Raises:
            StatusError: INVALID_ARGUMENT, its parameters.
        """
        if not self._is_enabled:
            return session
        message = read_model_file(directory) if self._is_per_model else self._common
        return BatchingSession(session, queue_parameters(message), self._threads) if message is not None else session
