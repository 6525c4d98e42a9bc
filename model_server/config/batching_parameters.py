"""BatchingParameters, checked and turned into frozen values."""

from dataclasses import dataclass
from typing import Any

from model_server.errors import invalid_argument


@dataclass(frozen=True)
class QueueParameters:
    """How requests of one version are joined.

    Attributes:
        max_task_size: rows that one request may have.
        max_batch_size: rows that run together.
        timeout: seconds that a batch waits for more, counted from its first request.
        max_enqueued_batches: batches of one queue that may wait.
        allowed_batch_sizes: a batch is padded to the next of these; empty: any size.
        pads_variable_length: whether inputs of different inner shapes are padded to the largest.
        splits_tasks: whether a request may be spread over several batches.
    """

    max_task_size: int = 1000
    max_batch_size: int = 1000
    timeout: float = 0.0
    max_enqueued_batches: int = 10
    allowed_batch_sizes: tuple[int, ...] = ()
    pads_variable_length: bool = False
    splits_tasks: bool = False

    def padded_size(self, size: int) -> int:
        """The rows that a batch of this many is run with."""
        return next((allowed for allowed in self.allowed_batch_sizes if allowed >= size), size)


def queue_parameters(message: Any) -> QueueParameters:
    """The message as values."""
    default = QueueParameters()

    def value(field: str, otherwise: int) -> int:
        return int(getattr(message, field).value) if message.HasField(field) else otherwise

    largest = value("max_batch_size", default.max_task_size)
    allowed = tuple(message.allowed_batch_sizes)
    if allowed and allowed[-1] != largest:
        raise invalid_argument(
            f"Last entry in allowed_batch_sizes must match max_batch_size; last entry was {allowed[-1]}; "
            f"expected {largest}"
        )
    splits = bool(message.enable_large_batch_splitting.value)
    parameters = QueueParameters(
        max_task_size=largest,
        max_batch_size=value("max_execution_batch_size", largest) if splits else largest,
        timeout=value("batch_timeout_micros", 0) / 1e6,
        max_enqueued_batches=value("max_enqueued_batches", default.max_enqueued_batches),
        allowed_batch_sizes=allowed,
        pads_variable_length=message.pad_variable_length_inputs,
        splits_tasks=splits,
    )
    _check(parameters)
    return parameters


def _check(parameters: QueueParameters) -> None:
    if parameters.max_task_size < 1:
        raise invalid_argument(f"input_batch_size_limit must be positive; was {parameters.max_task_size}")
    if parameters.timeout < 0:
        raise invalid_argument(f"batch_timeout_micros must be non-negative; was {round(parameters.timeout * 1e6)}")
    if parameters.max_enqueued_batches < 1:
        raise invalid_argument(f"max_enqueued_batches must be positive; was {parameters.max_enqueued_batches}")
    if not 1 <= parameters.max_batch_size <= parameters.max_task_size:
        raise invalid_argument(
            "When enable_large_batch_splitting is true, input_batch_size_limit must be greater than or equal to "
            f"max_execution_batch_size.{int(parameters.splits_tasks)}{parameters.max_task_size}"
            f"{parameters.max_batch_size}"
        )
