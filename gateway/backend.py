"""The model server as the gateway sees it: one gRPC channel, its three calls, a deadline on each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from gateway import messages
from gateway.deadline import Deadline
from gateway.errors import ModelContractError
from gateway.statuses import backend_error

PREDICTION_SERVICE = "/tensorflow.serving.PredictionService"
MODEL_SERVICE = "/tensorflow.serving.ModelService"

_CHANNEL_OPTIONS = (
    # The model server is a neighbour; a proxy meant for the internet must not get between.
    ("grpc.enable_http_proxy", 0),
    # A restarted model server is found again within half a second. gRPC's own pauses grow to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Predict said about n texts."""

    version: int
    """The model version that answered."""
    label_indices: tuple[int, ...]
    """[n]; each below `classes`."""
    probabilities: tuple[float, ...]
    """[n * classes], row by row."""
    classes: int

    def probability(self, row: int, index: int) -> float:
        """The probability that row `row` has label `index`."""
        return self.probabilities[row * self.classes + index]


@dataclass(frozen=True, slots=True)
class VersionState:
    """One line of GetModelStatus."""

    version: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING or END."""
    error: str
    """Name of the status code: OK, or why the version could not be loaded."""


class Backend:
    """Client of one model on one model server. Create it inside a running event loop."""

    def __init__(self, address: str, model_name: str) -> None:
        self._model_name = model_name
        self._channel = grpc.aio.insecure_channel(address, options=_CHANNEL_OPTIONS)
        self._predict = self._method(f"{PREDICTION_SERVICE}/Predict", messages.PredictResponse)
        self._metadata = self._method(f"{PREDICTION_SERVICE}/GetModelMetadata", messages.GetModelMetadataResponse)
        self._status = self._method(f"{MODEL_SERVICE}/GetModelStatus", messages.GetModelStatusResponse)

    async def predict(self, texts: Sequence[str], deadline: Deadline) -> Answer:
        """Classifies n texts by the version that the model server prefers, in one call.

        Raises:
            BackendError: no usable answer; see the tree in `errors`.
        """
        request = messages.PredictRequest()
        request.model_spec.name = self._model_name
        tensor = request.inputs["text"]
        tensor.dtype = messages.DT_STRING
        tensor.tensor_shape.dim.add().size = len(texts)
        tensor.string_val.extend(text.encode() for text in texts)
        request.output_filter.extend(("label_index", "probabilities"))
        response = await self._call(self._predict, request, deadline)
        indices = tuple(_values(response, "label_index", messages.DT_INT64, "int64_val"))
        probabilities = tuple(_values(response, "probabilities", messages.DT_FLOAT, "float_val"))
        classes, rest = divmod(len(probabilities), len(texts))
        if len(indices) != len(texts) or rest or not all(0 <= index < classes for index in indices):
            raise ModelContractError("label_index and probabilities of the model's answer do not fit each other")
        return Answer(response.model_spec.version.value, indices, probabilities, classes)

    async def labels(self, version: int, deadline: Deadline) -> tuple[str, ...]:
        """The intents of one version in the order of their indices, from the model's own `labels` signature.

        Raises:
            ModelNotReadyError: the version is no longer served.
            BackendError: no usable answer.
        """
        classes = await self._classes(version, deadline)
        request = messages.PredictRequest()
        request.model_spec.name = self._model_name
        request.model_spec.version.value = version
        request.model_spec.signature_name = "labels"
        tensor = request.inputs["label_index"]
        tensor.dtype = messages.DT_INT64
        tensor.tensor_shape.dim.add().size = classes
        tensor.int64_val.extend(range(classes))
        request.output_filter.append("intent")
        response = await self._call(self._predict, request, deadline)
        names: list[bytes] = _values(response, "intent", messages.DT_STRING, "string_val")
        if len(names) != classes:
            raise ModelContractError(f"the model's labels signature named {len(names)} of {classes} indices")
        return tuple(name.decode(errors="replace") for name in names)

    async def versions(self, deadline: Deadline) -> list[VersionState]:
        """Every version that the model server knows, loaded or not.

        Raises:
            ModelNotReadyError: it knows none.
            BackendError: no usable answer.
        """
        request = messages.GetModelStatusRequest()
        request.model_spec.name = self._model_name
        response = await self._call(self._status, request, deadline)
        return [
            VersionState(
                version=each.version,
                state=_enum_name(each, "state", each.state),
                error=_enum_name(each.status, "error_code", each.status.error_code),
            )
            for each in response.model_version_status
        ]

    async def watch(self, lost: Callable[[], None]) -> None:
        """Connects, then calls `lost` whenever the connection may be another one than before. Runs until cancelled."""
        ready = grpc.ChannelConnectivity.READY
        before = self._channel.get_state(try_to_connect=True)
        while True:
            await self._channel.wait_for_state_change(before)
            # From READY to READY happens too: lost and found again before this line ran.
            after = self._channel.get_state(try_to_connect=True)
            if before is ready or after is not ready:
                lost()
            before = after

    async def close(self) -> None:
        """Closes the channel; calls that still run are cancelled."""
        await self._channel.close()

    async def _classes(self, version: int, deadline: Deadline) -> int:
        request = messages.GetModelMetadataRequest()
        request.model_spec.name = self._model_name
        request.model_spec.version.value = version
        request.metadata_field.append("signature_def")
        response = await self._call(self._metadata, request, deadline)
        signatures = messages.SignatureDefMap.FromString(response.metadata["signature_def"].value).signature_def
        sizes = [dim.size for dim in signatures["serving_default"].outputs["probabilities"].tensor_shape.dim]
        if len(sizes) != 2 or sizes[1] < 1:
            raise ModelContractError("the model's signature does not declare probabilities as [-1, number of intents]")
        return int(sizes[1])

    def _method(self, path: str, response: Any) -> Any:
        return self._channel.unary_unary(
            path,
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=response.FromString,
        )

    async def _call(self, method: Any, request: Any, deadline: Deadline) -> Any:
        try:
            return await method(request, timeout=deadline.remaining())
        except grpc.aio.AioRpcError as error:
            raise backend_error(error) from error


def _values(response: Any, name: str, dtype: int, field: str) -> Any:
    # A look-up would create the entry: protobuf maps do that.
    if name not in response.outputs or response.outputs[name].dtype != dtype:
        raise ModelContractError(f"the model's answer has no output {name} of the contract's type")
    return getattr(response.outputs[name], field)


def _enum_name(message: Any, field: str, number: int) -> str:
    known = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    return str(known[number].name) if number in known else str(number)
