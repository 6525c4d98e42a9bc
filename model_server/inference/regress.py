"""PredictionService.Regress: tf.Examples in, one number for each out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow_serving.apis import regression_pb2

from model_server.errors import invalid_argument
from model_server.inference import examples
from model_server.inference.servable import Servable, Signature

METHOD = "tensorflow/serving/regress"
OUTPUTS = "outputs"


def regress(
    servable: Servable, request: regression_pb2.RegressionRequest, timeout: float | None
) -> regression_pb2.RegressionResponse:
    """Runs a regression signature of this version; `timeout` in seconds."""
    signature = examples.find_signature(servable, request.model_spec)
    wanted = outputs(servable, signature)
    values, count = examples.run(signature, request, wanted, "Regress", timeout)
    return regression_pb2.RegressionResponse(
        model_spec=examples.answer_spec(servable, request.model_spec),
        result=result(values, count),
    )


def outputs(servable: Servable, signature: Signature) -> list[str]:
    """The alias to fetch, of a signature that can regress."""
    examples.check(servable, signature, "regression", METHOD)
    if len(signature.output_names) != 1:
        raise invalid_argument("Expected one output Tensor.")
    if examples.INPUTS not in signature.input_names:
        text = examples.as_text(signature.definition)
        raise invalid_argument(f"No regression inputs found in SignatureDef: {text}")
    if OUTPUTS not in signature.output_names:
        text = examples.as_text(signature.definition)
        raise invalid_argument(f"No regression outputs found in SignatureDef: {text}")
    return [OUTPUTS]


def result(values: Mapping[str, Any], count: int) -> regression_pb2.RegressionResult:
    """The answer to `count` examples, of the output by its alias: float32 [count] or [count, 1]."""
    array = np.asarray(values[OUTPUTS])
    if not (array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1)):
        raise invalid_argument(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
            f"{examples.shape_text(array.shape)}"
        )
    if array.shape[0] != count:
        raise invalid_argument(f"Input batch size did not match output batch size: {count} vs. {array.shape[0]}")
    if array.dtype != np.float32:
        raise invalid_argument(f"Expected output Tensor of DT_FLOAT.  Got: {examples.dtype_name(array)}")
    return regression_pb2.RegressionResult(
        regressions=[regression_pb2.Regression(value=value) for value in array.ravel().tolist()]
    )
