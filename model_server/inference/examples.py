"""Shared by Classify, Regress and MultiInference: signatures whose one input takes serialised tf.Examples."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from google.protobuf import text_format
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.python.framework import dtypes
from tensorflow_serving.apis import classification_pb2, input_pb2, model_pb2, regression_pb2

from model_server.errors import invalid_argument
from model_server.inference.predict import DEFAULT_SIGNATURE
from model_server.inference.servable import Servable, Signature
from model_server.metrics import metrics

# The alias that the one input must have.
INPUTS = "inputs"


def signature_name(spec: model_pb2.ModelSpec) -> str:
    """The name that the spec asks for, or the default."""
    return spec.signature_name or DEFAULT_SIGNATURE


def find_signature(servable: Servable, spec: model_pb2.ModelSpec) -> Signature:
    """The signature that Classify or Regress is asked for. A missing one has another code than in Predict."""
    name = signature_name(spec)
    if name not in servable.signatures:
        raise invalid_argument(f"No signature was found with the name: {name}")
    return servable.signatures[name]


def check(servable: Servable, signature: Signature, kind: str, method: str) -> None:
    """A signature of this `kind` has one input and, where the server checks method names, this `method`."""
    found = signature.definition.method_name
    if servable.checks_method_names and found != method:
        raise invalid_argument(f"Expected {kind} signature method_name to be {method}. Was: {found}")
    if len(signature.input_names) != 1:
        raise invalid_argument("Expected one input Tensor.")


def as_text(definition: meta_graph_pb2.SignatureDef) -> str:
    """The signature as C++ prints it in a message: text format, maps sorted, other than ASCII escaped."""
    return text_format.MessageToString(definition, as_utf8=False)


def serialize(examples: input_pb2.Input) -> np.ndarray:
    """The serialised examples, bytes [n]. A context is merged into each: its bytes go in front of the example's."""
    if examples.WhichOneof("kind") == "example_list_with_context":
        context = examples.example_list_with_context.context.SerializeToString()
        given = examples.example_list_with_context.examples
    else:
        context, given = b"", examples.example_list.examples
    if not given:
        raise invalid_argument("Input is empty.")
    array = np.empty(len(given), dtype=object)
    array[:] = [context + example.SerializeToString() for example in given]
    return array


def run(
    signature: Signature,
    request: classification_pb2.ClassificationRequest | regression_pb2.RegressionRequest,
    aliases: Sequence[str],
    api: str,
    timeout: float | None,
) -> tuple[dict[str, Any], int]:
    """The outputs of these aliases, and how many examples there were; recorded as a run of `api`."""
    batch = serialize(request.input)
    start = time.perf_counter()
    values = signature.run({INPUTS: batch}, aliases, timeout)
    metrics.record_run(request.model_spec.name, api, time.perf_counter() - start)
    metrics.record_examples(request.model_spec.name, len(batch))
    return dict(zip(aliases, values, strict=True)), len(batch)


def answer_spec(servable: Servable, spec: model_pb2.ModelSpec) -> model_pb2.ModelSpec:
    """The spec that an answer carries: the model as it was called, the version and signature that were used."""
    answer = model_pb2.ModelSpec(name=spec.name, signature_name=signature_name(spec))
    answer.version.value = servable.version
    return answer


def shape_text(shape: Iterable[int]) -> str:
    """The shape as the runtime prints it, `[2,3]`."""
    return "[" + ",".join(map(str, shape)) + "]"


def dtype_name(value: np.ndarray) -> str:
    """The name of the dtype in TensorFlow, such as `DT_FLOAT`."""
    number: Any = dtypes.string if value.dtype == object else dtypes.as_dtype(value.dtype)
    return str(types_pb2.DataType.Name(number.as_datatype_enum))
