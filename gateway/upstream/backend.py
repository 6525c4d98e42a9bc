"""One model on the model server, as the gateway sees it: what it predicts, its intents, its versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.errors import ModelContractError
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from gateway.upstream import messages
from gateway.upstream.breaker import Breaker
from gateway.upstream.calls import METADATA, PREDICT, STATUS, Calls
from gateway.upstream.deadline import Deadline
from gateway.upstream.labels import LabelList
from gateway.upstream.question import DEFAULT, Dialogue, Target


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
    label_set: int
    """The fingerprint of the label list that the indices count in."""
    model_seconds: float
    """How long the call took that brought this answer."""


@dataclass(frozen=True, slots=True)
class VersionState:
    """One line of GetModelStatus."""

    version: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING or END."""
    error: str
    """Name of the status code: OK, or why the version could not be loaded."""


class Backend:
    """Client of one model. Create it inside a running event loop.

    Every call raises, besides what it says itself:
        BackendError: no usable answer; see the tree in `errors`. It is a ModelServerUnavailableError while the circuit
            breaker is open, and a ModelNotReadyError if the model has no version, or none of the default label.
    Cancelling it cancels the call on the model server.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        """Connects with the first call.

        Raises:
            SettingsError: the address or a TLS file cannot be used.
        """
        self._model_name = settings.model_name
        self._default_label = settings.model_label
        self._calls = Calls(settings, metrics)

    @property
    def breaker(self) -> Breaker:
        """Whether calls are made at all now."""
        return self._calls.breaker

    async def predict(
        self, texts: Sequence[str], target: Target, deadline: Deadline, dialogue: Sequence[Dialogue] | None = None
    ) -> Answer:
        """Classifies n texts in one call. `dialogue`: what is around each of them [n]; None: nothing, around none.

        Raises:
            UnknownVersionError: `target` names a version or label that is not served.
            ContextNotSupportedError: there is a dialogue, and the version that would answer has no signature for it.
        """
        request = messages.PredictRequest()
        self._specify(request.model_spec, target)
        _put(request, "text", texts)
        if dialogue is not None:
            request.model_spec.signature_name = "dialogue"
            _put(request, "role", [each.role for each in dialogue])
            _put(request, "previous", [each.previous for each in dialogue])
        request.output_filter.extend(("label_index", "label_set", "probabilities"))
        response, seconds = await self._calls.make(PREDICT, request, deadline, is_named=target != DEFAULT)
        indices = tuple(_values(response, "label_index", messages.DT_INT64, "int64_val"))
        probabilities = tuple(_values(response, "probabilities", messages.DT_FLOAT, "float_val"))
        classes, rest = divmod(len(probabilities), len(texts))
        if len(indices) != len(texts) or rest or not all(0 <= index < classes for index in indices):
            raise ModelContractError("label_index and probabilities of the model's answer do not fit each other")
        label_set = _label_set(response, len(texts))
        return Answer(response.model_spec.version.value, indices, probabilities, classes, label_set, seconds)

    async def labels(self, version: int, classes: int, deadline: Deadline) -> LabelList:
        """The label list of the model that has this version's number now, by its own signature `labels`.

        `classes`: how many intents it has. One call asks for all of them: with several model servers, a second call
        would go to another one.

        Raises:
            ModelNotReadyError: the version is no longer served.
        """
        request = messages.PredictRequest()
        self._specify(request.model_spec, Target(version))
        request.model_spec.signature_name = "labels"
        tensor = request.inputs["label_index"]
        tensor.dtype = messages.DT_INT64
        tensor.tensor_shape.dim.add().size = classes
        tensor.int64_val.extend(range(classes))
        request.output_filter.extend(("intent", "label_set"))
        # An answer named this version, not the client, so a missing one is not the client's error.
        response, _ = await self._calls.make(PREDICT, request, deadline, is_named=False)
        names: list[bytes] = _values(response, "intent", messages.DT_STRING, "string_val")
        if len(names) != classes:
            raise ModelContractError(f"the model's labels signature named {len(names)} of {classes} indices")
        return LabelList(_label_set(response, classes), tuple(name.decode(errors="replace") for name in names))

    async def version_of(self, target: Target, deadline: Deadline) -> int:
        """The version that would answer a Predict with this target now.

        GetModelStatus cannot tell: it does not look at labels.

        Raises:
            UnknownVersionError: `target` names a version or label that is not served.
        """
        request = messages.GetModelMetadataRequest()
        self._specify(request.model_spec, target)
        request.metadata_field.append("signature_def")
        response, _ = await self._calls.make(METADATA, request, deadline, is_named=target != DEFAULT)
        return int(response.model_spec.version.value)

    async def versions(self, deadline: Deadline) -> list[VersionState]:
        """Every version that the model server knows, loaded or not.

        Raises:
            ModelNotReadyError: it knows none.
        """
        request = messages.GetModelStatusRequest()
        request.model_spec.name = self._model_name
        response, _ = await self._calls.make(STATUS, request, deadline)
        return [
            VersionState(
                version=each.version,
                state=_enum_name(each, "state", each.state),
                error=_enum_name(each.status, "error_code", each.status.error_code),
            )
            for each in response.model_version_status
        ]

    async def close(self) -> None:
        """Closes the channel; calls that still run are cancelled."""
        await self._calls.close()

    def _specify(self, spec: Any, target: Target) -> None:
        spec.name = self._model_name
        if target.version is not None:
            spec.version.value = target.version
        elif label := target.label or self._default_label:
            spec.version_label = label


def _put(request: Any, name: str, texts: Sequence[str]) -> None:
    tensor = request.inputs[name]
    tensor.dtype = messages.DT_STRING
    tensor.tensor_shape.dim.add().size = len(texts)
    tensor.string_val.extend(text.encode() for text in texts)


def _values(response: Any, name: str, dtype: int, field: str) -> Any:
    # get() does not create the entry, as a look-up by [] would: protobuf maps do that.
    tensor = response.outputs.get(name)
    if tensor is None or tensor.dtype != dtype:
        raise ModelContractError(f"the model's answer has no output {name} of the contract's type")
    return getattr(tensor, field)


def _label_set(response: Any, rows: int) -> int:
    numbers: tuple[int, ...] = tuple(_values(response, "label_set", messages.DT_INT64, "int64_val"))
    if len(numbers) != rows or numbers.count(numbers[0]) != rows:
        raise ModelContractError("label_set of the model's answer is not one number, repeated for each row")
    return numbers[0]


def _enum_name(message: Any, field: str, number: int) -> str:
    known = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    return str(known[number].name) if number in known else str(number)
