"""PredictionService.Predict: the checks, in the stock server's order, and the run."""

import time
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from tensorflow_serving.apis import predict_pb2

from model_server.errors import failed_precondition, invalid_argument
from model_server.graph import tensors, wire
from model_server.inference.servable import Servable, Signature
from model_server.metrics import metrics

DEFAULT_SIGNATURE = "serving_default"
_OUTPUTS, _ALIAS, _TENSOR = wire.key(predict_pb2.PredictResponse.OUTPUTS_FIELD_NUMBER), wire.key(1), wire.key(2)


def predict(servable: Servable, request: predict_pb2.PredictRequest, timeout: float | None, as_content: bool) -> bytes:
    """Runs any signature of this version; `timeout` in seconds, `as_content` answers in `tensor_content`.

    Returns:
        The PredictResponse, serialised.
    """
    spec = request.model_spec
    name = spec.signature_name or DEFAULT_SIGNATURE
    signature = servable.signatures.get(name)
    if signature is None:
        raise failed_precondition(f'Serving signature key "{name}" not found.')
    feeds = _feeds(signature, request)
    aliases = _aliases(signature, request.output_filter)
    start = time.perf_counter()
    values = signature.run(feeds, aliases, timeout)
    metrics.record_run(spec.name, "Predict", time.perf_counter() - start)
    chunks = [_response(spec.name, servable.version, name)]
    for alias, value in zip(aliases, values, strict=True):
        # An entry of a map is a message of key and value.
        entry = wire.block(_ALIAS, alias.encode()) + wire.block(_TENSOR, tensors.encode(value, as_content))
        chunks.append(wire.block(_OUTPUTS, entry))
    return b"".join(chunks)


@lru_cache(256)
def _response(model_name: str, version: int, signature_name: str) -> bytes:
    """A serialised PredictResponse without outputs."""
    response = predict_pb2.PredictResponse()
    response.model_spec.name = model_name
    response.model_spec.version.value = version
    response.model_spec.signature_name = signature_name
    content: bytes = response.SerializeToString()
    return content


def _feeds(signature: Signature, request: predict_pb2.PredictRequest) -> dict[str, np.ndarray]:
    wanted, given = signature.input_names, request.inputs
    if len(given) > len(wanted) or (len(given) < len(wanted) and not signature.defaults):
        raise _wrong_size(given, wanted)
    feeds: dict[str, np.ndarray] = {}
    used = 0
    for alias in wanted:
        if alias in given:
            feeds[alias] = tensors.decode(given[alias], alias)
            used += 1
        elif alias in signature.defaults:
            feeds[alias] = signature.defaults[alias]
        else:
            raise invalid_argument(
                f"Signature input alias: {alias}(feed name: {wanted[alias]}) not found in request and no default value "
                f"provided. Inputs expected to be in the request {_set(given)}, "
                f"or default input alias set: {','.join(sorted(signature.defaults))}"
            )
    if used != len(given):
        names = _set(alias for alias in given if alias in wanted)
        raise invalid_argument(
            f"Inputs contains invalid name. Used request inputs: {names}, request input: {_set(given)}"
        )
    return feeds


def _aliases(signature: Signature, output_filter: Sequence[str]) -> list[str]:
    known = signature.output_names
    if not output_filter:
        return list(known)
    aliases: list[str] = []
    for alias in output_filter:
        if alias not in known:
            raise invalid_argument(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in the set {_set(known)}."
            )
        if alias in aliases:
            raise invalid_argument(f"duplicate output tensor alias: {alias}")
        aliases.append(alias)
    return aliases


def _wrong_size(given: Iterable[str], wanted: Iterable[str]) -> Exception:
    given, wanted = set(given), set(wanted)
    return invalid_argument(
        f"input size does not match signature: {len(given)}!={len(wanted)} len({_set(given)}) != len({_set(wanted)}). "
        f"Sent extra: {_set(given - wanted)}. Missing but required: {_set(wanted - given)}."
    )


def _set(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
