"""PredictionService.MultiInference: several classifications and regressions of the same tf.Examples, in one run."""

from collections.abc import Mapping
from dataclasses import dataclass

from tensorflow_serving.apis import inference_pb2, model_pb2

from model_server.errors import invalid_argument, unimplemented
from model_server.inference import classify, examples, regress
from model_server.inference.servable import Servable
from model_server.metrics import metrics

_OUTPUTS = {classify.METHOD: classify.outputs, regress.METHOD: regress.outputs}


@dataclass(frozen=True)
class _Task:
    """A task as tensor names of the graph: the tensor that is fed, and by alias those that are fetched."""

    feed: str
    fetches: Mapping[str, str]


def model_spec(request: inference_pb2.MultiInferenceRequest) -> model_pb2.ModelSpec:
    """The spec that chooses the version: the first task's, or an empty one."""
    return request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()


def multi_inference(
    servable: Servable, request: inference_pb2.MultiInferenceRequest, timeout: float | None
) -> inference_pb2.MultiInferenceResponse:
    """Runs every task on this version, in the order given; `timeout` in seconds."""
    tasks = _tasks(servable, request)
    batch = examples.serialize(request.input)
    # One tensor may belong to several tasks.
    names = sorted({name for task in tasks for name in task.fetches.values()})
    values = dict(zip(names, servable.run({task.feed: batch for task in tasks}, names, timeout), strict=True))
    response = inference_pb2.MultiInferenceResponse()
    for asked, task in zip(request.tasks, tasks, strict=True):
        answer = response.results.add(model_spec=examples.answer_spec(servable, asked.model_spec))
        found = {alias: values[name] for alias, name in task.fetches.items()}
        if asked.method_name == classify.METHOD:
            answer.classification_result.CopyFrom(classify.result(found, len(batch)))
        else:
            answer.regression_result.CopyFrom(regress.result(found, len(batch)))
    metrics.record_examples(request.tasks[0].model_spec.name, len(batch))
    return response


def _tasks(servable: Servable, request: inference_pb2.MultiInferenceRequest) -> list[_Task]:
    tasks: dict[str, _Task] = {}
    for asked in request.tasks:
        spec = asked.model_spec
        if not spec.name:
            raise invalid_argument("Found ModelSpec with an empty model name.")
        if spec.name != request.tasks[0].model_spec.name:
            raise invalid_argument("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
        name = examples.signature_name(spec)
        if name in tasks:
            raise invalid_argument(f"Duplicate evaluation of signature: {name}")
        signature = servable.signatures.get(name)
        if signature is None:
            raise invalid_argument(f"Requested signature not found in model graph: {name}")
        if asked.method_name not in _OUTPUTS:
            raise unimplemented(f"Unsupported signature method_name: {asked.method_name}")
        aliases = _OUTPUTS[asked.method_name](servable, signature)
        fetches = {alias: signature.output_names[alias] for alias in aliases}
        tasks[name] = _Task(signature.input_names[examples.INPUTS], fetches)
    return list(tasks.values())
