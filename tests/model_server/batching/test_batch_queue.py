"""The queue under many threads: every piece of work is run once, in batches that keep the limits."""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import tensorflow as tf

from model_server.batching.batch_queue import BatchQueue, BatchThreads
from model_server.batching.batching import BatchingSession
from model_server.config.batching_parameters import QueueParameters
from model_server.errors import Code, StatusError
from model_server.graph.session import Session

CLIENTS = 16
ROUNDS = 50


@dataclass
class Work:
    """Numbers to double."""

    numbers: list[int]
    doubled: list[int] = field(default_factory=list)


class Doubler:
    """Runs batches, and sees what runs together."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.most_at_once = 0
        self._running = 0
        self._lock = threading.Lock()

    def process(self, batch: Sequence[Work]) -> None:
        with self._lock:
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        for work in batch:
            work.doubled += [2 * number for number in work.numbers]
        with self._lock:
            self.sizes.append(sum(len(work.numbers) for work in batch))
            self._running -= 1


def split(work: Work, sizes: Sequence[int]) -> list[Work]:
    left = iter(work.numbers)
    return [Work([next(left) for _ in range(size)]) for size in sizes]


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param(QueueParameters(16, 16, max_enqueued_batches=1000), id="whole"),
        pytest.param(QueueParameters(16, 5, max_enqueued_batches=1000, splits_tasks=True), id="split"),
        pytest.param(QueueParameters(16, 16, timeout=0.001, max_enqueued_batches=1000), id="with a timeout"),
        pytest.param(QueueParameters(16, 1, max_enqueued_batches=1000, splits_tasks=True), id="one by one"),
    ],
)
@pytest.mark.parametrize("threads", [1, 3])
def test_everything_is_run_once_within_the_limits(parameters: QueueParameters, threads: int) -> None:
    doubler = Doubler()
    queue = BatchQueue(parameters, BatchThreads(threads), doubler.process, split)
    start = threading.Barrier(CLIENTS)
    wrong: list[object] = []

    def ask(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(ROUNDS):
            numbers = dice.sample(range(1000), dice.randint(1, 12))
            start.wait()
            parts = queue.run(Work(numbers), len(numbers))
            if [number for part in parts for number in part.doubled] != [2 * number for number in numbers]:
                wrong.append((numbers, parts))

    clients = [threading.Thread(target=ask, args=(seed,)) for seed in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert not wrong
    assert max(doubler.sizes) <= parameters.max_batch_size
    assert doubler.most_at_once <= threads


def test_a_lone_request_is_run_by_its_own_thread() -> None:
    ran: list[threading.Thread] = []
    queue: BatchQueue[Work] = BatchQueue(
        QueueParameters(), BatchThreads(1), lambda batch: ran.append(threading.current_thread()), split
    )
    queue.run(Work([1]), 1)
    assert ran == [threading.current_thread()]


def test_a_batch_is_whoever_came_while_the_threads_were_busy() -> None:
    is_running, may_end = threading.Event(), threading.Event()
    sizes: list[int] = []

    def process(batch: Sequence[Work]) -> None:
        sizes.append(len(batch))
        is_running.set()
        may_end.wait()

    parameters = QueueParameters(max_task_size=8, max_batch_size=4, max_enqueued_batches=1, splits_tasks=True)
    queue = BatchQueue(parameters, BatchThreads(1), process, split)
    clients = [threading.Thread(target=queue.run, args=(Work([number]), 1)) for number in range(4)]
    clients[0].start()
    is_running.wait()
    for client in clients[1:]:
        client.start()
    refused = ""
    while "open_batch_size=3" not in refused:
        # The queue never has room for this, and says how many wait.
        with pytest.raises(StatusError) as caught:
            queue.run(Work([]), 5)
        refused = caught.value.message
    may_end.set()
    for client in clients:
        client.join()
    assert sizes == [1, 3]


def test_queues_share_the_threads() -> None:
    order: list[str] = []
    is_running, may_end = threading.Event(), threading.Event()

    def hold(batch: Sequence[Work]) -> None:
        is_running.set()
        may_end.wait()
        order.append("first queue")

    threads = BatchThreads(1)
    first = BatchQueue(QueueParameters(), threads, hold, split)
    second = BatchQueue(QueueParameters(), threads, lambda batch: order.append("second queue"), split)
    clients = [threading.Thread(target=queue.run, args=(Work([1]), 1)) for queue in (first, second)]
    clients[0].start()
    is_running.wait()
    clients[1].start()
    may_end.set()
    for client in clients:
        client.join()
    assert order == ["first queue", "second queue"]


def test_who_waited_too_long_is_not_run() -> None:
    graph = tf.Graph()
    with graph.as_default():
        tf.identity(tf.compat.v1.placeholder(tf.float32, [None], "x"), "y")
    session = BatchingSession(Session(graph, tf.compat.v1.ConfigProto()), QueueParameters(), BatchThreads(1))
    x, y = session.output("x:0"), session.output("y:0")
    assert session.run({x: np.float32([1])}, [y], timeout=60)[0].tolist() == [1]
    with pytest.raises(StatusError, match="timeout exceeded while waiting in batching queue") as caught:
        session.run({x: np.float32([1])}, [y], timeout=0)
    assert caught.value.code is Code.RESOURCE_EXHAUSTED
    session.close()
