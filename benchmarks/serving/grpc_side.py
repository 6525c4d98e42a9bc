"""What goes straight to the model server by gRPC: payloads, the length of a good answer, the server's own count."""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

import grpc

from benchmarks.serving import h2load
from gateway.upstream import messages
from model_server.config import protos
from serving_config.files import ConfigFiles, read

METHOD = "/tensorflow.serving.PredictionService/Predict"
PAYLOADS = 8
BATCH = 32
METRICS = "/monitoring/prometheus/metrics"
_COUNT = re.compile(r'^:tensorflow:serving:request_count\{.*status="(?P<status>\w+)"\} (?P<count>\d+)$', re.MULTILINE)


def request(texts: Sequence[str]) -> bytes:
    """The PredictRequest that the gateway sends for these texts."""
    message = messages.PredictRequest()
    message.model_spec.name = "intent"
    tensor = message.inputs["text"]
    tensor.dtype = messages.DT_STRING
    tensor.tensor_shape.dim.add().size = len(texts)
    tensor.string_val.extend(text.encode() for text in texts)
    message.output_filter.extend(("label_index", "label_set", "probabilities"))
    return bytes(message.SerializeToString())


def single(texts: Sequence[str]) -> list[list[str]]:
    """One text each, at evenly spaced quantiles of the lengths."""
    ordered = sorted(texts, key=len)
    return [[ordered[len(ordered) * (2 * number + 1) // (2 * PAYLOADS)]] for number in range(PAYLOADS)]


def batched(texts: Sequence[str]) -> list[list[str]]:
    """32 consecutive texts each, from evenly spaced places."""
    return [
        [texts[(len(texts) * number // PAYLOADS + row) % len(texts)] for row in range(BATCH)]
        for number in range(PAYLOADS)
    ]


def write(requests: Sequence[Sequence[str]], folder: Path, name: str) -> list[Path]:
    """A framed payload for each, as files."""
    paths = [folder / f"{name}-{number}.grpc" for number in range(len(requests))]
    for path, texts in zip(paths, requests, strict=True):
        path.write_bytes(h2load.framed(request(texts)))
    return paths


def answer_bytes(address: str, texts: Sequence[str]) -> int:
    """Length of a good answer to so many texts: labels below 128 and probabilities are of one size each.

    Raises:
        RuntimeError: the answer is none.
    """
    with grpc.insecure_channel(address) as channel:
        predict: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        answer = predict(request(texts))
    rows = len(messages.PredictResponse.FromString(answer).outputs["label_index"].int64_val)
    if rows != len(texts):
        raise RuntimeError(f"the model server answered {len(texts)} texts with {rows} labels")
    return len(answer)


def most_rows() -> int:
    """What the shipped batching takes to wait; more is refused."""
    parameters = read(ConfigFiles().batching, protos.BatchingParameters())
    return int(parameters.max_enqueued_batches.value * parameters.max_execution_batch_size.value)


def refused(rest_port: int) -> int:
    """Requests that the model server has answered with an error so far, by its own count."""
    with urlopen(f"http://127.0.0.1:{rest_port}{METRICS}") as page:
        return refusals(page.read().decode())


def refusals(exposition: str) -> int:
    """The same, from the page."""
    return sum(int(found["count"]) for found in _COUNT.finditer(exposition) if found["status"] != "OK")
