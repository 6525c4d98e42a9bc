"""The model server away, back, or silent; versions and labels; what each call carries along."""

import asyncio
from typing import Any

import grpc
import pytest

from gateway.errors import ContextNotSupportedError, GatewayError, ModelNotReadyError, UnknownVersionError
from gateway.telemetry.context import CONTEXT, RequestContext
from gateway.upstream import messages
from gateway.upstream.deadline import Deadline
from gateway.upstream.question import DEFAULT, NOTHING, Dialogue, Target
from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.played_server import backend, played, prediction
from tests.gateway.relay import Relay
from tests.gateway.running import gateway
from tests.servers import ModelServer, free_port

UNAVAILABLE = (503, "model_server_unavailable", "the model server does not answer; try again in a moment")


def test_no_model_server_is_503() -> None:
    with gateway(model_server=f"127.0.0.1:{free_port()}", **PATIENT) as running:
        assert running.predict("a").error == UNAVAILABLE
        assert running.get("/status").status == 200


def test_a_model_server_that_goes_and_comes_back(server: ModelServer, line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running:
        assert running.predict("a").json["intent"] == MODEL.intent("a")
        line.cut()
        assert running.predict("a").error == UNAVAILABLE
        line.turn_to(server.grpc_port)
        while (reply := running.predict("ab")).status != 200:
            assert reply.error == UNAVAILABLE
        assert reply.json["intent"] == MODEL.intent("ab")


@pytest.mark.parametrize("content", [b"a silent text", b"labels"], ids=["Predict", "labels"])
def test_a_silent_model_server_is_504(line: Relay, content: bytes) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", deadline_seconds=0.5) as running:
        line.hold(content)
        status, code, message = running.predict("a silent text").error
    assert (status, code) == (504, "deadline_exceeded")
    assert message.endswith("in time; try again later")


@pytest.mark.parametrize("target", [DEFAULT, Target(version=1), Target(label="stable")], ids=str)
async def test_a_version_is_chosen_by_number_label_or_default(server: ModelServer, target: Target) -> None:
    async with backend(model_server=server.address) as it:
        answer = await it.predict(["a", "ab"], target, Deadline.after(60))
        assert (answer.version, answer.label_indices) == (1, (1, 2))
        assert await it.version_of(target, Deadline.after(60)) == 1
        assert 0 < answer.model_seconds < 60


@pytest.mark.parametrize(
    "target", [Target(version=7), Target(version=0), Target(label="planned"), Target(label="unheard")], ids=str
)
async def test_a_missing_version_that_the_client_named_is_the_clients_error(
    server: ModelServer, target: Target
) -> None:
    async with backend(model_server=server.address) as it:
        with pytest.raises(UnknownVersionError):
            await it.predict(["a"], target, Deadline.after(60))
        with pytest.raises(UnknownVersionError):
            await it.version_of(target, Deadline.after(60))


@pytest.mark.parametrize(
    ("label", "error"), [("stable", None), ("planned", ModelNotReadyError), ("unheard", ModelNotReadyError)]
)
async def test_the_default_label_is_asked_for_when_the_client_names_nothing(
    server: ModelServer, label: str, error: type[GatewayError] | None
) -> None:
    async with backend(model_server=server.address, model_label=label) as it:
        # What the client names goes before the default.
        assert (await it.predict(["a"], Target(version=1), Deadline.after(60))).version == 1
        if error:
            with pytest.raises(error):
                await it.predict(["a"], DEFAULT, Deadline.after(60))
        else:
            assert (await it.predict(["a"], DEFAULT, Deadline.after(60))).version == 1


async def test_every_call_carries_the_requests_id_and_trace() -> None:
    seen: dict[str, str | bytes] = {}

    async def answer(method: str, request: Any, context: grpc.aio.ServicerContext) -> Any:
        seen.update(context.invocation_metadata())
        return prediction()

    CONTEXT.set(RequestContext("request-7", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
    async with played(answer) as server, backend(model_server=f"127.0.0.1:{server.port}") as it:
        await it.predict(["a"], DEFAULT, Deadline.after(60))
    assert seen["x-request-id"] == "request-7"
    assert seen["traceparent"] == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_dialogue_goes_to_its_signature_and_nothing_else_does() -> None:
    seen: list[tuple[str, dict[str, list[bytes]]]] = []

    async def answer(method: str, request: Any, context: grpc.aio.ServicerContext) -> Any:
        for tensor in request.inputs.values():
            assert (tensor.dtype, [dim.size for dim in tensor.tensor_shape.dim]) == (messages.DT_STRING, [2])
        inputs = {name: list(tensor.string_val) for name, tensor in request.inputs.items()}
        seen.append((request.model_spec.signature_name, inputs))
        return prediction(rows=2)

    async with played(answer) as server, backend(model_server=f"127.0.0.1:{server.port}") as it:
        await it.predict(["a", "é"], DEFAULT, Deadline.after(60))
        await it.predict(["a", "é"], DEFAULT, Deadline.after(60), [NOTHING, Dialogue("teacher", "ñ")])
    text = [b"a", "é".encode()]
    assert seen == [
        ("", {"text": text}),
        ("dialogue", {"text": text, "role": [b"", b"teacher"], "previous": [b"", "ñ".encode()]}),
    ]


@pytest.mark.parametrize("target", [DEFAULT, Target(version=1)], ids=str)
async def test_a_model_without_the_signature_is_told_from_one_that_breaks_the_contract(
    other_server: ModelServer, target: Target
) -> None:
    async with backend(model_server=other_server.address) as it:
        for _ in range(10):
            with pytest.raises(ContextNotSupportedError):
                await it.predict(["a"], target, Deadline.after(60), [Dialogue("student")])
        # That is an answer, not a failure.
        assert it.breaker.state == "closed"


async def test_a_caller_who_goes_away_cancels_the_call() -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def answer(method: str, request: Any, context: grpc.aio.ServicerContext) -> Any:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with played(answer) as server, backend(model_server=f"127.0.0.1:{server.port}") as it:
        asking = asyncio.create_task(it.predict(["a"], DEFAULT, Deadline.after(60)))
        await began.wait()
        asking.cancel()
        await cancelled.wait()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_the_breaker_guards_every_call() -> None:
    """A server that is not there opens it within two requests; then none of the calls goes out."""
    async with backend(model_server=f"127.0.0.1:{free_port()}", breaker_seconds=60) as it:
        calls = [
            it.versions,
            lambda deadline: it.predict(["a"], DEFAULT, deadline),
            lambda deadline: it.labels(1, 3, deadline),
        ]
        for call in calls * 2:
            with pytest.raises(GatewayError) as refused:
                await call(Deadline.after(60))
            assert refused.value.code == "model_server_unavailable"
        assert it.breaker.state != "closed"
        for call in calls:
            with pytest.raises(GatewayError) as refused:
                await call(Deadline.after(60))
            assert refused.value.retry_after == 60
