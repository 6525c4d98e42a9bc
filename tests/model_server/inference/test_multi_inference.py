"""PredictionService.MultiInference: several heads of one model, one input, one run."""

import grpc
import pytest
from tensorflow_serving.apis import inference_pb2, input_pb2

from tests.model_server.client import Client, examples, model_spec
from tests.model_server.heads import CLASSIFY, REGRESS

X = examples(0.25, -3.0)


def task(signature_name: str, method: str, name: str = "heads", **spec: object) -> inference_pb2.InferenceTask:
    """One task."""
    spec_ = model_spec(name=name, signature_name=signature_name, **spec)
    return inference_pb2.InferenceTask(model_spec=spec_, method_name=method)


def request(*tasks: inference_pb2.InferenceTask, given: input_pb2.Input = X) -> inference_pb2.MultiInferenceRequest:
    """These tasks on the same examples."""
    return inference_pb2.MultiInferenceRequest(tasks=tasks, input=given)


A_CLASSIFY, A_REGRESS = task("classify", CLASSIFY), task("regress", REGRESS)


def test_answers_every_task_in_the_order_asked(client: Client) -> None:
    first, second, third = client.multi_inference(request(A_REGRESS, A_CLASSIFY, task("column", REGRESS))).results
    assert first.model_spec == model_spec(name="heads", version=1, signature_name="regress")
    assert [one.value for one in first.regression_result.regressions] == [0.5, -6]
    assert second.model_spec == model_spec(name="heads", version=1, signature_name="classify")
    rows = [[(one.label, one.score) for one in row.classes] for row in second.classification_result.classifications]
    assert rows == [[("low", 0.75), ("high", 0.25)], [("low", 4), ("high", -3)]]
    assert [one.value for one in third.regression_result.regressions] == [0.5, -6]


def test_the_first_task_chooses_the_version(client: Client) -> None:
    asked = request(task("regress", REGRESS, "toy", version=1), task("classify", CLASSIFY, "toy", version=2))
    first, second = client.multi_inference(asked).results
    assert [one.value for one in first.regression_result.regressions] == [1.5, -5]
    assert first.model_spec.version.value == second.model_spec.version.value == 1
    assert second.classification_result.classifications[0].classes[1].score == 1.25


def test_no_signature_name_is_the_default_one(client: Client) -> None:
    (only,) = client.multi_inference(request(task("", CLASSIFY))).results
    assert only.model_spec.signature_name == "serving_default"
    assert len(only.classification_result.classifications) == 2


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        pytest.param(request(), "INVALID_ARGUMENT", "ModelSpec has no name specified.", id="no tasks"),
        pytest.param(
            request(inference_pb2.InferenceTask(method_name=CLASSIFY)),
            "INVALID_ARGUMENT",
            "ModelSpec has no name specified.",
            id="a missing spec counts as an empty one",
        ),
        pytest.param(
            request(task("classify", CLASSIFY, "ghost")),
            "NOT_FOUND",
            "Servable not found for request: Latest(ghost)",
            id="unknown model",
        ),
        pytest.param(
            request(task("classify", CLASSIFY, version=9)),
            "NOT_FOUND",
            "Servable not found for request: Specific(heads, 9)",
            id="unknown version",
        ),
        pytest.param(
            request(A_CLASSIFY, task("regress", REGRESS, "")),
            "INVALID_ARGUMENT",
            "Found ModelSpec with an empty model name.",
            id="a later task without a model",
        ),
        pytest.param(
            request(A_CLASSIFY, task("regress", REGRESS, "toy")),
            "INVALID_ARGUMENT",
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
            id="two models",
        ),
        pytest.param(
            request(A_REGRESS, A_REGRESS),
            "INVALID_ARGUMENT",
            "Duplicate evaluation of signature: regress",
            id="a signature twice",
        ),
        pytest.param(
            request(task("", CLASSIFY), task("serving_default", CLASSIFY)),
            "INVALID_ARGUMENT",
            "Duplicate evaluation of signature: serving_default",
            id="the default signature twice, once without its name",
        ),
        pytest.param(
            request(task("nope", CLASSIFY)),
            "INVALID_ARGUMENT",
            "Requested signature not found in model graph: nope",
            id="unknown signature",
        ),
        pytest.param(
            request(task("classify", "tensorflow/serving/predict")),
            "UNIMPLEMENTED",
            "Unsupported signature method_name: tensorflow/serving/predict",
            id="a method that is not for examples",
        ),
        pytest.param(
            request(task("classify", "")), "UNIMPLEMENTED", "Unsupported signature method_name: ", id="no method"
        ),
        pytest.param(
            request(task("classify", REGRESS), given=input_pb2.Input()),
            "INVALID_ARGUMENT",
            "Expected one output Tensor.",
            id="the signature's form is checked before the input",
        ),
        pytest.param(
            request(task("two_inputs", REGRESS), A_REGRESS, A_REGRESS),
            "INVALID_ARGUMENT",
            "Expected one input Tensor.",
            id="one task after the other is checked",
        ),
        pytest.param(
            request(A_CLASSIFY, given=input_pb2.Input()), "INVALID_ARGUMENT", "Input is empty.", id="no input"
        ),
        pytest.param(
            request(A_CLASSIFY, task("few_outputs", REGRESS)),
            "INVALID_ARGUMENT",
            "Input batch size did not match output batch size: 2 vs. 1",
            id="a bad output fails all",
        ),
    ],
)
def test_refuses(client: Client, asked: inference_pb2.MultiInferenceRequest, code: str, message: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.multi_inference(asked)
    assert (caught.value.code().name, caught.value.details()) == (code, message)
