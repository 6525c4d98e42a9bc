"""Every prediction is named by the labels of the model that made it, whatever happens to versions and servers."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.errors import (
    ContextNotSupportedError,
    GatewayError,
    ModelContractError,
    ModelNotReadyError,
    UnknownVersionError,
)
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from gateway.upstream import labels
from gateway.upstream.backend import Answer, Backend
from gateway.upstream.classifier import TRIES, Classifier, Row
from gateway.upstream.combiner import Combiner
from gateway.upstream.deadline import Deadline
from gateway.upstream.dialogue import NOTHING, Dialogue
from gateway.upstream.labels import LabelCache
from gateway.upstream.target import DEFAULT, Target
from tests.gateway.conftest import MODEL, OTHER_MODEL, PATIENT, wait_for_state
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, Reply, gateway
from tests.gateway.tiny_model import NOT_A_NUMBER, PROBABILITY, TinyModel
from tests.servers import ModelServer

TEXTS = ("a", "ab", "abc")

Check = Callable[[Sequence[str], Reply], None]


def _ask(running: Gateway, texts: Sequence[str]) -> Reply:
    if len(texts) == 1:
        return running.predict(texts[0])
    return running.send("POST", "/v1/predict", json.dumps({"texts": texts}), Content_Type="application/json")


def _answer(reply: Reply) -> tuple[int, list[str]]:
    """Version and intents."""
    assert reply.status == 200, reply.body
    if "results" in reply.json:
        return reply.json["model"]["version"], [result["intent"] for result in reply.json["results"]]
    return reply.json["version"], [reply.json["intent"]]


def _named(model: TinyModel, texts: Sequence[str]) -> list[str]:
    return [model.intent(text) for text in texts]


@contextmanager
def _traffic(running: Gateway, check: Check) -> Iterator[None]:
    """Four clients that ask for a text or for several without a pause; each reply goes to `check`."""
    stopped = False

    def ask() -> None:
        asked = 0
        while not stopped:
            texts = ([TEXTS[asked % len(TEXTS)]], TEXTS)[asked % 2]
            check(texts, _ask(running, texts))
            asked += 1

    with ThreadPoolExecutor(4) as clients:
        asking = [clients.submit(ask) for _ in range(4)]
        try:
            yield
        finally:
            stopped = True
        for each in asking:
            each.result()


def _until(running: Gateway, wanted: Callable[[Reply], bool]) -> Reply:
    while not wanted(reply := running.predict("a")):
        pass
    return reply


@asynccontextmanager
async def _classifier(server: ModelServer, model_name: str = "intent") -> AsyncIterator[Classifier]:
    """One in this process, in front of that server."""
    backend = Backend(Settings(model_server=server.address, model_name=model_name), Metrics())
    try:
        cache = LabelCache(lambda version, classes: backend.labels(version, classes, _deadline()))
        yield Classifier(Combiner(backend, 32, 2), cache)
    finally:
        await backend.close()


def _deadline() -> Deadline:
    return Deadline.after(60)


async def test_a_batch_has_a_row_for_each_text_in_their_order(server: ModelServer) -> None:
    texts = ["x" * length for length in range(1, 12)]
    async with _classifier(server) as classifier:
        answer = await classifier.classify(texts, DEFAULT, _deadline())
    assert (answer.version, answer.names) == (1, MODEL.names)
    assert [answer.names[row.label_index] for row in answer.rows] == _named(MODEL, texts)
    for row in answer.rows:
        assert len(row.scores) == len(MODEL.names)
        assert row.scores[row.label_index] == max(row.scores) == PROBABILITY
    assert 0 < answer.model_seconds < 60


async def test_a_text_whose_probabilities_are_no_numbers_fails_alone(server: ModelServer) -> None:
    async with _classifier(server) as classifier:
        answer = await classifier.classify(["a", NOT_A_NUMBER, "ab"], DEFAULT, _deadline())
    good, bad, other = answer.rows
    assert isinstance(bad, ModelContractError)
    assert "not a number" in str(bad)
    assert isinstance(good, Row)
    assert isinstance(other, Row)
    assert _named(MODEL, ["a", "ab"]) == [answer.names[good.label_index], answer.names[other.label_index]]


@pytest.mark.parametrize("target", [DEFAULT, Target(version=1), Target(label="stable")], ids=str)
async def test_the_intents_of_a_version_are_told(server: ModelServer, target: Target) -> None:
    async with _classifier(server) as classifier:
        assert await classifier.intents(target, _deadline()) == (1, MODEL.names)
        answer = await classifier.classify(["ab"], target, _deadline())
    assert answer.names[answer.rows[0].label_index] == MODEL.intent("ab")


@pytest.mark.parametrize("target", [Target(version=7), Target(label="unheard")], ids=str)
async def test_a_version_that_the_client_named_and_nobody_has_is_its_error(server: ModelServer, target: Target) -> None:
    async with _classifier(server) as classifier:
        for asking in (classifier.intents(target, _deadline()), classifier.classify(["a"], target, _deadline())):
            with pytest.raises(UnknownVersionError):
                await asking


def test_a_new_version_takes_over_under_traffic_without_a_failed_or_misnamed_answer(
    server: ModelServer, models: Path
) -> None:
    seen: set[int] = set()

    def check(texts: Sequence[str], reply: Reply) -> None:
        version, intents = _answer(reply)
        assert intents == _named({1: MODEL, 2: OTHER_MODEL}[version], texts)
        seen.add(version)

    with gateway(model_server=server.address, model_name="swapped", **PATIENT) as running, _traffic(running, check):
        _until(running, lambda reply: reply.json["version"] == 1)
        OTHER_MODEL.publish(models / "swapped", 2)
        _until(running, lambda reply: reply.json["version"] == 2)
    assert seen == {1, 2}


def test_a_version_that_comes_back_as_another_model_is_named_by_its_new_labels(
    server: ModelServer, models: Path, tmp_path: Path
) -> None:
    """Published, rolled back, published again: the number is the same."""
    third = TinyModel(("answer_question_recipe_steps", "return_list_ingredients_tools", "stop"), shift=2)
    second = OTHER_MODEL.publish(models / "reborn", 2)
    wait_for_state(server, "reborn", 2, "AVAILABLE")
    with gateway(model_server=server.address, model_name="reborn", **PATIENT) as running:
        reply = _until(running, lambda reply: reply.json["version"] == 2)
        assert reply.json["intent"] == OTHER_MODEL.intent("a")
        shutil.move(second, tmp_path)
        _until(running, lambda reply: reply.json["version"] == 1)
        third.publish(models / "reborn", 2)
        reply = _until(running, lambda reply: reply.json["version"] == 2)
        assert reply.json["intent"] == third.intent("a")


@pytest.mark.parametrize("texts", [["abc"], TEXTS], ids=["one text", "a batch"])
def test_a_version_that_goes_between_answer_and_labels_is_asked_again(
    server: ModelServer, models: Path, line: Relay, texts: Sequence[str]
) -> None:
    model_name = "moved" if len(texts) == 1 else "moved_later"
    with (
        gateway(model_server=f"127.0.0.1:{line.port}", model_name=model_name, **PATIENT) as running,
        ThreadPoolExecutor() as clients,
    ):
        # What the gateway sends for the labels, after version 1 has answered.
        line.hold(b"labels")
        asking = clients.submit(_ask, running, texts)
        line.held.wait()
        OTHER_MODEL.publish(models / model_name, 2)
        wait_for_state(server, model_name, 1, "END")
        line.release()
        assert _answer(asking.result()) == (2, _named(OTHER_MODEL, texts))


def test_another_model_under_the_same_number_on_another_server_is_never_misnamed(
    server: ModelServer, other_server: ModelServer, line: Relay
) -> None:
    named: set[str] = set()

    def check(texts: Sequence[str], reply: Reply) -> None:
        # The moment in which the connection breaks may cost an answer, but never gives a wrong one.
        if reply.status == 200:
            _, intents = _answer(reply)
            assert intents in (_named(MODEL, texts), _named(OTHER_MODEL, texts))
            named.update(intents)
        else:
            assert reply.error[:2] == (503, "model_server_unavailable")

    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running, _traffic(running, check):
        for port, model in ((server.grpc_port, MODEL), (other_server.grpc_port, OTHER_MODEL)) * 3:
            line.turn_to(port)
            for text in TEXTS:
                while (reply := running.predict(text)).status != 200 or reply.json["intent"] != model.intent(text):
                    check([text], reply)
                check([text], reply)
    assert named == {*MODEL.names, *OTHER_MODEL.names}


def test_a_version_that_one_of_two_servers_does_not_have_yet_costs_no_answer(
    server: ModelServer, other_server: ModelServer
) -> None:
    """Calls go to the two by turns, so a rule that asks twice in a row would always meet the wrong one."""

    def check(texts: Sequence[str], reply: Reply) -> None:
        version, intents = _answer(reply)
        assert intents == _named({1: MODEL, 2: OTHER_MODEL}[version], texts)

    # The other server does not know this model at all.
    addresses = f"{server.address},{other_server.address}"
    with gateway(model_server=addresses, model_name="swapped", **PATIENT) as running:
        for _ in range(4):
            for text in TEXTS:
                check([text], running.predict(text))


class Played:
    """Takes the place of combiner and backend, for moments that no real server can be brought to on demand."""

    def __init__(self) -> None:
        self.asked = 0
        self.fetched = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.fetching = asyncio.Event()
        self.in_predict: Callable[[], None] = lambda: None
        self.in_fetch: Callable[[], None] = lambda: None
        self.error: GatewayError | None = None
        self.cache = LabelCache(self.labels)
        self.classifier = Classifier(self, self.cache)  # type: ignore[arg-type]

    async def predict(
        self, texts: Sequence[str], target: Target, deadline: Deadline, dialogue: Sequence[Dialogue] | None
    ) -> tuple[Answer, float]:
        self.asked += 1
        sent = labels.time.monotonic()
        self.in_predict()
        await self.may_answer.wait()
        if self.error:
            raise self.error
        return Answer(1, (0,), (0.75, 0.25), 2, 0.001), sent

    async def labels(self, version: int, classes: int) -> tuple[str, ...]:
        self.fetched += 1
        self.fetching.set()
        self.in_fetch()
        return (f"first after {self.asked}", "second")

    async def intent(self) -> str:
        return (await self.classifier.classify(["a"], DEFAULT, _deadline())).names[0]


@pytest.mark.parametrize("moment", ["in_predict", "in_fetch"])
async def test_an_answer_and_labels_from_either_side_of_a_lost_connection_are_not_put_together(moment: str) -> None:
    played = Played()
    setattr(played, moment, lambda: played.cache.forget() if played.asked == 1 else None)
    await played.intent()
    assert played.asked == 2

    setattr(played, moment, played.cache.forget)
    played.cache.forget()
    played.asked = 0
    with pytest.raises(GatewayError, match="keeps changing") as refused:
        await played.intent()
    assert refused.value.code == "model_server_unavailable"
    assert played.asked == TRIES


async def test_an_answer_that_took_long_is_asked_for_again_if_no_list_from_before_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now=1000.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(labels, "time", clock)
    played = Played()
    played.in_predict = lambda: setattr(clock, "now", clock.now + 2 * labels.PAUSE_SECONDS * (played.asked == 1))
    assert await played.intent() == "first after 1"
    assert played.asked == 2


async def test_after_a_pause_the_labels_come_while_the_answer_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(labels, "time", SimpleNamespace(monotonic=lambda: now))
    played = Played()
    assert await played.intent() == "first after 1"
    now += 3600
    played.may_answer.clear()
    played.fetching.clear()
    asking = asyncio.create_task(played.intent())
    await played.fetching.wait()
    assert not asking.done()
    played.may_answer.set()
    assert await asking == "first after 2"
    assert played.fetched == 2, "nothing is asked after the answer"


class Swapping(Played):
    """Refuses the first call with a dialogue; then a version that takes one is there, or has gone again."""

    def __init__(self, then: GatewayError | None = None) -> None:
        super().__init__()
        self.then = then

    async def predict(
        self, texts: Sequence[str], target: Target, deadline: Deadline, dialogue: Sequence[Dialogue] | None
    ) -> tuple[Answer, float]:
        self.asked += 1
        if self.asked == 1:
            raise ContextNotSupportedError("no signature")
        if target.version and self.then:
            raise self.then
        return Answer(1, (0,) * len(texts), (0.75, 0.25) * len(texts), 2, 0.001), labels.time.monotonic()


@pytest.mark.parametrize("then", [None, UnknownVersionError("gone")])
async def test_a_version_that_comes_right_after_a_dialogue_was_refused_is_asked_with_it(
    then: UnknownVersionError | None,
) -> None:
    """Else its answer would stand beside the refusal of the version before."""
    played = Swapping(then)
    answer = await played.classifier.classify(["a", "b"], DEFAULT, _deadline(), [NOTHING, Dialogue("student")])
    assert all(isinstance(row, Row) for row in answer.rows)
    # Refused, the other text alone, the check of that version, and all once more.
    assert played.asked == 4


async def test_a_version_that_is_missing_is_asked_for_a_few_times() -> None:
    played = Played()
    played.error = ModelNotReadyError("none")
    with pytest.raises(ModelNotReadyError):
        await played.intent()
    assert played.asked == TRIES


def test_many_first_requests_at_once_are_all_named(server: ModelServer) -> None:
    texts = ["x" * length for length in range(1, 65)]
    with gateway(model_server=server.address, **PATIENT) as running, ThreadPoolExecutor(16) as clients:
        replies = list(clients.map(running.predict, texts))
    assert [reply.json["intent"] for reply in replies] == _named(MODEL, texts)


def test_a_model_without_labels_is_502(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_name="nameless", **PATIENT) as running:
        error = running.predict("a").error
    assert "labels" in "".join(running.log), "the operator is told which signature is missing"
    assert error == (
        502,
        "model_contract_broken",
        "the model refused the gateway's call: it lacks a signature of the contract; see the log",
    )


def test_an_unknown_model_is_503(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_name="unknown", **PATIENT) as running:
        assert running.predict("a").error == (
            503,
            "model_not_ready",
            "the model server serves no such version of the model now; try again",
        )
