"""The metrics of the server: their names, what they record, and the page that shows them."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from model_server.errors import Code, StatusError
from model_server.metrics.prometheus import Counter, Gauge, Histogram, Metric, exponential

# In microseconds; the last is about 20 minutes.
_LATENCIES = exponential(10, 1.8, 33)
_QUEUING_LATENCIES = exponential(100, 1.2, 52)
_EXAMPLES = exponential(1, 2, 15)
_BATCH_SIZES = exponential(1, 2, 14)

Answer = TypeVar("Answer")

_SERVING = "/tensorflow/serving"
_BATCHING = f"{_SERVING}/batching_session"
_LOADING = "/tensorflow/cc/saved_model"

request_count = Counter(f"{_SERVING}/request_count", "model_name", "status")
request_latency = Histogram(f"{_SERVING}/request_latency", _LATENCIES, "model_name", "API", "entrypoint")
runtime_latency = Histogram(f"{_SERVING}/runtime_latency", _LATENCIES, "model_name", "API", "runtime")
example_counts = Histogram(f"{_SERVING}/request_example_counts", _EXAMPLES, "model")
example_count_total = Counter(f"{_SERVING}/request_example_count_total", "model")
warmup_latency = Histogram(f"{_SERVING}/model_warmup_latency", _LATENCIES, "model_path", "status")
warmup_records_read = Counter(f"{_SERVING}/model_warmup_records_read", "model_path", "status")
queuing_latency = Histogram(f"{_BATCHING}/queuing_latency", _QUEUING_LATENCIES, "thread_pool_name")
wrapped_run_count = Counter(f"{_BATCHING}/wrapped_run_count")
# The stock server registers these at the first batch.
padding_size = Histogram(f"{_BATCHING}/padding_size", _BATCH_SIZES, "execution_batch_size", is_silent=True)
input_batch_size = Histogram(f"{_BATCHING}/input_batch_size", _BATCH_SIZES, is_silent=True)
processed_batch_size = Histogram(f"{_BATCHING}/processed_batch_size", _BATCH_SIZES, is_silent=True)
load_attempt_count = Counter(f"{_LOADING}/load_attempt_count", "model_path", "status")
load_latency = Counter(f"{_LOADING}/load_latency", "model_path")
graph_runs = Counter("/tensorflow/core/graph_runs")

# Requests are never logged, and no model brings ML metadata: these two have their TYPE line alone.
Counter(f"{_SERVING}/request_log_count", "model_name", "status_code")
Gauge(f"{_SERVING}/mlmd_map", "model_name", "version")


def exposition() -> str:
    """The page in Prometheus' text format, metrics by name in order."""
    metrics = sorted(Metric.all, key=lambda metric: metric.path)
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())


def counters() -> dict[str, int]:
    """Every counter, summed over its labels, by its name in TensorFlow (`/tensorflow/...`)."""
    return {metric.path: metric.total() for metric in Metric.all if type(metric) is Counter}


def microseconds(seconds: float) -> int:
    """The unit of all latencies."""
    return int(seconds * 1e6)


def record_request(model_name: str, api: str, entrypoint: str, code: Code, seconds: float) -> None:
    """A request that was answered; its latency counts only if it succeeded. `entrypoint` is GRPC or REST."""
    request_count.add(model_name, code.name)
    if code is Code.OK:
        request_latency.observe(microseconds(seconds), model_name, api, entrypoint)


def counted(api: str, answer: Callable[[Any, Any], Answer]) -> Callable[[Any, Any], Answer]:
    """Wraps a gRPC method, a function of request and context, so that its requests are counted."""

    def answer_and_count(request: Any, context: Any) -> Answer:
        start = time.perf_counter()
        try:
            response = answer(request, context)
        except StatusError as error:
            record_request(request.model_spec.name, api, "GRPC", error.code, 0.0)
            raise
        record_request(request.model_spec.name, api, "GRPC", Code.OK, time.perf_counter() - start)
        return response

    return answer_and_count


def record_examples(model_name: str, count: int) -> None:
    """The tf.Examples of a request whose session run succeeded."""
    example_counts.observe(count, model_name)
    example_count_total.add(model_name, by=count)


def record_run(model_name: str, api: str, seconds: float) -> None:
    """A session run that succeeded."""
    runtime_latency.observe(microseconds(seconds), model_name, api, "TF1")
