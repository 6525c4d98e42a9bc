"""Requests that share a call: nobody notices the others, whatever becomes of them."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from gateway.errors import (
    ContextNotSupportedError,
    DeadlineExceededError,
    GatewayError,
    ModelContractError,
    ModelServerUnavailableError,
    UnknownVersionError,
)
from gateway.telemetry.context import CONTEXT, RequestContext
from gateway.upstream.backend import Answer
from gateway.upstream.combiner import Combiner
from gateway.upstream.deadline import Deadline
from gateway.upstream.question import DEFAULT, NOTHING, Dialogue, Target
from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.relay import Relay
from tests.gateway.running import gateway
from tests.servers import ModelServer

CLASSES = 3


@dataclass(eq=False)
class Call:
    """A Predict that the combiner made, and that the test answers."""

    texts: list[str]
    target: Target
    deadline: Deadline
    dialogue: Sequence[Dialogue] | None
    request_id: str | None
    answer: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Played:
    """Takes the place of the backend: calls stay open until the test answers them.

    The index of a text is its length modulo 3; its probabilities say which text they are for.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def predict(
        self, texts: Sequence[str], target: Target, deadline: Deadline, dialogue: Sequence[Dialogue] | None
    ) -> Answer:
        context = CONTEXT.get()
        call = Call(list(texts), target, deadline, dialogue, context and context.request_id)
        self.calls.append(call)
        await call.answer
        indices = tuple(len(text) % CLASSES for text in texts)
        return Answer(7, indices, tuple(float(len(text)) for text in texts for _ in range(CLASSES)), CLASSES, 5, 0.5)

    @property
    def texts(self) -> list[list[str]]:
        return [call.texts for call in self.calls]


@pytest.fixture
async def played() -> Played:
    return Played()


def combiner(played: Played, max_texts: int = 32, slots: int = 1) -> Combiner:
    return Combiner(played, max_texts, slots)  # type: ignore[arg-type]


def ask(
    it: Combiner,
    *texts: str,
    target: Target = DEFAULT,
    seconds: float = 60,
    dialogue: Sequence[Dialogue] | None = None,
) -> "asyncio.Task[Answer]":
    return asyncio.create_task(it.predict(texts, target, Deadline.after(seconds), dialogue))


async def settled() -> None:
    """Lets the tasks that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_request_that_finds_a_free_slot_goes_at_once_and_alone(played: Played) -> None:
    it = combiner(played, slots=2)
    ask(it, "a")
    ask(it, "b")
    await settled()
    assert played.texts == [["a"], ["b"]]


async def test_what_waits_goes_together_and_each_gets_its_own_rows(played: Played) -> None:
    it = combiner(played)
    first = ask(it, "x")
    await settled()
    waiting = [ask(it, "a"), ask(it, "bb", "ccc"), ask(it, "dddd")]
    await settled()
    assert played.texts == [["x"]]
    played.calls[0].answer.set_result(None)
    await settled()
    assert played.texts == [["x"], ["a", "bb", "ccc", "dddd"]]
    played.calls[1].answer.set_result(None)
    answers = [await task for task in [first, *waiting]]
    assert [answer.label_indices for answer in answers] == [(1,), (1,), (2, 0), (1,)]
    assert [answer.probabilities for answer in answers] == [(1.0,) * 3, (1.0,) * 3, (2.0,) * 3 + (3.0,) * 3, (4.0,) * 3]
    assert {(answer.version, answer.classes, answer.model_seconds) for answer in answers} == {(7, CLASSES, 0.5)}


async def test_no_call_gets_more_texts_than_allowed_unless_one_request_has_them(played: Played) -> None:
    it = combiner(played, max_texts=3)
    tasks = [ask(it, "x")]
    await settled()
    tasks += [ask(it, *texts) for texts in ("ab", "cd", "e", "fghij", "k")]
    for position in range(4):
        await settled()
        played.calls[position].answer.set_result(None)
    await asyncio.gather(*tasks)
    assert played.texts == [["x"], ["a", "b", "e"], ["c", "d", "k"], [*"fghij"]]


async def test_one_text_a_call_means_that_nothing_waits(played: Played) -> None:
    it = combiner(played, max_texts=1)
    for text in "abc":
        ask(it, text)
    await settled()
    assert played.texts == [["a"], ["b"], ["c"]]


async def test_requests_for_different_versions_have_different_calls(played: Played) -> None:
    it = combiner(played)
    tasks = [ask(it, "x")]
    await settled()
    targets = [DEFAULT, Target(1), Target(label="stable"), Target(1), DEFAULT]
    tasks += [ask(it, text, target=target) for text, target in zip("abcde", targets, strict=True)]
    for position in range(4):
        await settled()
        played.calls[position].answer.set_result(None)
    await asyncio.gather(*tasks)
    assert [(call.texts, call.target) for call in played.calls] == [
        (["x"], DEFAULT),
        (["a", "e"], DEFAULT),
        (["b", "d"], Target(1)),
        (["c"], Target(label="stable")),
    ]


async def test_requests_in_a_dialogue_go_together_and_never_with_the_others(played: Played) -> None:
    said, asked = Dialogue("teacher", "before"), Dialogue("student")
    it = combiner(played)
    tasks = [ask(it, "x", dialogue=[said])]
    await settled()
    tasks += [ask(it, "a"), ask(it, "bb", "b", dialogue=[said, NOTHING]), ask(it, "c"), ask(it, "d", dialogue=[asked])]
    tasks += [ask(it, "e", dialogue=[asked], target=Target(1))]
    for position in range(4):
        await settled()
        played.calls[position].answer.set_result(None)
    assert [(await task).label_indices for task in tasks] == [(1,), (1,), (2, 1), (1,), (1,), (1,)]
    assert [(call.texts, call.dialogue) for call in played.calls] == [
        (["x"], [said]),
        (["a", "c"], None),
        (["bb", "b", "d"], [said, NOTHING, asked]),
        (["e"], [asked]),
    ]


async def test_a_request_that_is_asked_again_alone_keeps_its_dialogue(played: Played) -> None:
    it = combiner(played)
    ask(it, "x")
    await settled()
    ask(it, "a", dialogue=[Dialogue("student")])
    ask(it, "b", dialogue=[Dialogue("teacher")])
    await settled()
    played.calls[0].answer.set_result(None)
    await settled()
    played.calls[1].answer.set_exception(ModelContractError("bad text"))
    await settled()
    assert [(call.texts, call.dialogue) for call in played.calls[2:]] == [
        (["a"], [Dialogue("student")]),
        (["b"], [Dialogue("teacher")]),
    ]


async def test_a_call_has_the_time_of_its_most_patient_member_and_each_member_its_own(played: Played) -> None:
    it = combiner(played)
    ask(it, "x")
    await settled()
    hasty, patient = ask(it, "a", seconds=0.02), ask(it, "b", seconds=60)
    await settled()
    played.calls[0].answer.set_result(None)
    with pytest.raises(DeadlineExceededError):
        await hasty
    assert played.calls[1].texts == ["a", "b"]
    assert played.calls[1].deadline.remaining() > 30
    played.calls[1].answer.set_result(None)
    assert (await patient).label_indices == (1,)


async def test_time_runs_out_while_waiting_for_a_slot(played: Played) -> None:
    it = combiner(played)
    first = ask(it, "x")
    await settled()
    with pytest.raises(DeadlineExceededError):
        await ask(it, "a", seconds=0.01)
    played.calls[0].answer.set_result(None)
    await first
    await settled()
    assert played.texts == [["x"]], "it is not sent any more"
    ask(it, "b")
    await settled()
    assert played.texts == [["x"], ["b"]], "its slot is free again"


async def test_who_goes_away_while_waiting_is_not_sent(played: Played) -> None:
    it = combiner(played)
    ask(it, "x")
    await settled()
    gone, also_gone, waiting = ask(it, "a"), ask(it, "b"), ask(it, "c")
    await settled()
    gone.cancel()
    await settled()
    # In the same moment: the slot gets free before the cancelled task has run.
    played.calls[0].answer.set_result(None)
    also_gone.cancel()
    await settled()
    assert played.texts == [["x"], ["c"]]
    played.calls[1].answer.set_result(None)
    await waiting


async def test_a_shared_call_is_cancelled_only_when_its_last_member_went_away(played: Played) -> None:
    it = combiner(played)
    ask(it, "x")
    await settled()
    members = [ask(it, "a"), ask(it, "b")]
    await settled()
    played.calls[0].answer.set_result(None)
    await settled()
    members[0].cancel()
    await settled()
    assert not played.calls[1].answer.cancelled()
    members[1].cancel()
    await settled()
    assert played.calls[1].answer.cancelled()
    ask(it, "c")
    await settled()
    assert played.texts[2:] == [["c"]], "its slot is free again"


async def test_a_shared_call_whose_members_all_go_away_before_it_begins_frees_its_slot(played: Played) -> None:
    it = combiner(played)
    first = ask(it, "x")
    await settled()
    member = ask(it, "a")
    await settled()
    first.cancel()
    # `first` runs once: it hands the slot on, and the call's own task has not begun.
    await asyncio.sleep(0)
    member.cancel()
    await settled()
    ask(it, "b")
    await settled()
    assert played.texts[-1] == ["b"]


async def test_a_lone_request_that_goes_away_cancels_its_call(played: Played) -> None:
    task = ask(combiner(played), "a")
    await settled()
    task.cancel()
    await settled()
    assert played.calls[0].answer.cancelled()


@pytest.mark.parametrize("error", [ModelContractError("bad text"), RuntimeError("no text")])
async def test_nobody_fails_for_anothers_text(played: Played, error: Exception) -> None:
    it = combiner(played)
    ask(it, "x")
    await settled()
    good, bad, other = ask(it, "a"), ask(it, "bb"), ask(it, "ccc")
    await settled()
    played.calls[0].answer.set_result(None)
    await settled()
    played.calls[1].answer.set_exception(error)
    await settled()
    assert played.texts[2:] == [["a"], ["bb"], ["ccc"]]
    played.calls[2].answer.set_result(None)
    played.calls[3].answer.set_exception(error)
    played.calls[4].answer.set_result(None)
    assert (await good).label_indices == (1,)
    assert (await other).label_indices == (0,)
    with pytest.raises(type(error)):
        await bad
    await settled()
    assert len(played.calls) == 5, "once"


@pytest.mark.parametrize(
    "error",
    [ModelServerUnavailableError("away"), UnknownVersionError("none"), ContextNotSupportedError("no signature")],
)
async def test_what_is_wrong_for_all_is_told_to_all_without_another_call(played: Played, error: GatewayError) -> None:
    it = combiner(played)
    ask(it, "x")
    await settled()
    members = [ask(it, "a"), ask(it, "b")]
    await settled()
    played.calls[0].answer.set_result(None)
    await settled()
    played.calls[1].answer.set_exception(error)
    for member in members:
        with pytest.raises(type(error), match=str(error)):
            await member
    assert len(played.calls) == 2


@pytest.mark.parametrize("error", [None, ModelContractError("bad text"), ModelServerUnavailableError("away")])
async def test_who_goes_away_meanwhile_changes_nothing_for_the_others(played: Played, error: Exception | None) -> None:
    it = combiner(played)
    ask(it, "x")
    await settled()
    gone, hasty, waiting = ask(it, "a"), ask(it, "bb", seconds=0.01), ask(it, "ccc")
    await settled()
    played.calls[0].answer.set_result(None)
    await settled()
    gone.cancel()
    with pytest.raises(DeadlineExceededError):
        await hasty
    if error:
        played.calls[1].answer.set_exception(error)
    else:
        played.calls[1].answer.set_result(None)
    await settled()
    for call in played.calls[2:]:
        call.answer.set_result(None)
    if isinstance(error, ModelServerUnavailableError):
        with pytest.raises(ModelServerUnavailableError):
            await waiting
    else:
        assert (await waiting).label_indices == (0,)
    assert played.texts[2:] == ([["ccc"]] if isinstance(error, ModelContractError) else [])


async def test_a_call_is_made_in_the_name_of_its_first_member(played: Played) -> None:
    it = combiner(played)

    def ask_as(request_id: str) -> None:
        CONTEXT.set(RequestContext(request_id, "00-trace"))
        ask(it, "a")

    for request_id in ("one", "two", "three"):
        ask_as(request_id)
        await settled()
    played.calls[0].answer.set_result(None)
    await settled()
    assert [call.request_id for call in played.calls] == ["one", "two"]


def test_requests_behind_a_busy_model_server_share_calls(server: ModelServer, line: Relay) -> None:
    texts = ["x" * length for length in range(1, 31)]
    with (
        gateway(model_server=f"127.0.0.1:{line.port}", max_calls=2, max_combined_texts=8, **PATIENT) as running,
        ThreadPoolExecutor(40) as clients,
    ):
        running.predict("warm")
        before = _predicts(running.get("/metrics").body.decode())
        line.hold(b"held")
        held = [clients.submit(running.predict, "held") for _ in range(2)]
        line.held.wait()
        asked = [clients.submit(running.predict, text) for text in texts]
        while "gateway_in_flight 32.0" not in running.get("/metrics").body.decode():
            pass
        line.release()
        assert [each.result().json["intent"] for each in asked] == [MODEL.intent(text) for text in texts]
        assert {each.result().status for each in held} == {200}
        calls = _predicts(running.get("/metrics").body.decode()) - before
    # Two that were held, four or five for all others; the labels may have been fetched anew a few times.
    assert calls <= 12


def _predicts(metrics: str) -> int:
    prefix = 'gateway_upstream_seconds_count{code="OK",method="Predict"} '
    return int(float(next(line for line in metrics.splitlines() if line.startswith(prefix)).removeprefix(prefix)))
