"""PredictionService.Classify: tf.Examples in; labels, scores or both out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow_serving.apis import classification_pb2

from model_server.errors import invalid_argument
from model_server.inference import examples
from model_server.inference.servable import Servable, Signature

METHOD = "tensorflow/serving/classify"
CLASSES, SCORES = "classes", "scores"


def classify(
    servable: Servable, request: classification_pb2.ClassificationRequest, timeout: float | None
) -> classification_pb2.ClassificationResponse:
    """Runs a classification signature of this version; `timeout` in seconds."""
    signature = examples.find_signature(servable, request.model_spec)
    wanted = outputs(servable, signature)
    values, count = examples.run(signature, request, wanted, "Classify", timeout)
    return classification_pb2.ClassificationResponse(
        model_spec=examples.answer_spec(servable, request.model_spec),
        result=result(values, count),
    )


def outputs(servable: Servable, signature: Signature) -> list[str]:
    """The aliases to fetch, of a signature that can classify."""
    examples.check(servable, signature, "classification", METHOD)
    if len(signature.output_names) not in (1, 2):
        raise invalid_argument(f"Expected one or two output Tensors, found {len(signature.output_names)}")
    if examples.INPUTS not in signature.input_names:
        text = examples.as_text(signature.definition)
        raise invalid_argument(f"No classification inputs found in SignatureDef: {text}")
    wanted = [alias for alias in (CLASSES, SCORES) if alias in signature.output_names]
    if not wanted:
        raise invalid_argument(
            f'Expected classification signature outputs to contain at least one of "{CLASSES}" or "{SCORES}". '
            f"Signature was: {examples.as_text(signature.definition)}"
        )
    return wanted


def result(values: Mapping[str, Any], count: int) -> classification_pb2.ClassificationResult:
    """The answer to `count` examples, of the outputs by alias: string and float32 [count, classes]."""
    arrays = {alias: np.asarray(value) for alias, value in values.items()}
    for alias, dtype in ((CLASSES, "DT_STRING"), (SCORES, "DT_FLOAT")):
        if alias in arrays:
            _check(alias, arrays[alias], dtype, count)
    widths = [array.shape[1] for array in arrays.values()]
    if len(set(widths)) > 1:
        raise invalid_argument(
            f"Tensors class and score should match in dim_size(1). Got {arrays[CLASSES].shape[1]} vs. "
            f"{arrays[SCORES].shape[1]}"
        )
    labels = arrays[CLASSES].tolist() if CLASSES in arrays else [[b""] * widths[0]] * count
    scores = arrays[SCORES].tolist() if SCORES in arrays else [[0.0] * widths[0]] * count
    answer = classification_pb2.ClassificationResult()
    for row in zip(labels, scores, strict=True):
        classes = answer.classifications.add().classes
        for label, score in zip(*row, strict=True):
            classes.add(label=label.decode(errors="replace"), score=score)
    return answer


def _check(alias: str, array: np.ndarray, dtype: str, count: int) -> None:
    if array.ndim != 2:
        raise invalid_argument(
            f"Expected Tensor shape: [batch_size num_classes] but got {examples.shape_text(array.shape)}"
        )
    found = examples.dtype_name(array)
    if found != dtype:
        raise invalid_argument(f"Expected {alias} Tensor of {dtype}. Got: {found}")
    if array.shape[0] != count:
        raise invalid_argument(f"Expected {alias} output batch size of {count}. Got: {array.shape[0]}")
