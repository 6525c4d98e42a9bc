"""Every prediction is named by the labels of the model that made it, whatever happens to versions and servers."""

import json
import shutil
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

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
from gateway.upstream.labels import LabelList, LabelLists
from gateway.upstream.question import DEFAULT, NOTHING, Dialogue, Target
from tests.gateway.conftest import MODEL, OTHER_MODEL, PATIENT, wait_for_state
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, Reply, gateway
from tests.gateway.tiny_model import NOT_A_NUMBER, PROBABILITY, TinyModel
from tests.servers import ModelServer, model_server

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
def _traffic(running: Gateway, check: Check, batch: Sequence[str] = TEXTS) -> Iterator[None]:
    """Four clients that ask for a text or for a batch without a pause; each reply goes to `check`."""
    stopped = False

    def ask() -> None:
        asked = 0
        while not stopped:
            texts = ([TEXTS[asked % len(TEXTS)]], batch)[asked % 2]
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
        lists = LabelLists(lambda version, classes: backend.labels(version, classes, _deadline()))
        yield Classifier(Combiner(backend, 32, 2), lists)
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


def test_not_one_of_50000_answers_is_misnamed_while_two_servers_differ_and_a_number_changes_hands(
    server: ModelServer, tmp_path: Path
) -> None:
    """Version 1 is one model on one server, and on the other one model after another."""
    # No two models share a name, so a single name tells whose list it is from.
    third = TinyModel(("answer_question_recipe_steps", "return_list_ingredients_tools", "greeting"), shift=2)
    fourth = TinyModel(("farewell", "complaint", "answer_question_external_fact", "thanks"), shift=1)
    base_path = tmp_path / "intent"
    OTHER_MODEL.publish(base_path, 1)
    texts = ["x" * length for length in range(1, 65)]
    answers: Counter[TinyModel] = Counter()
    lock = threading.Lock()

    def check(texts: Sequence[str], reply: Reply) -> None:
        if reply.status != 200:
            # While the other server has no version 1, a request may meet it in each of its tries.
            assert reply.error[1] == "model_not_ready"
            return
        _, intents = _answer(reply)
        (model,) = (each for each in (MODEL, OTHER_MODEL, third, fourth) if _named(each, texts) == intents)
        with lock:
            answers[model] += len(texts)

    flags = ["--model_name=intent", f"--model_base_path={base_path}", "--file_system_poll_wait_seconds=1"]
    with model_server(*flags, "--grpc_max_threads=32") as other:
        addresses = f"{server.address},{other.address}"
        with gateway(model_server=addresses, **PATIENT) as running, _traffic(running, check, texts):
            for model in (third, fourth, OTHER_MODEL):
                shutil.rmtree(base_path / "1")
                wait_for_state(other, "intent", 1, "END")
                model.publish(base_path, 1)
                wait_for_state(other, "intent", 1, "AVAILABLE")
                before = answers.total()
                while answers.total() < before + 17_000:
                    check(texts, _ask(running, texts))
    assert answers.total() >= 50_000
    assert answers.keys() == {MODEL, OTHER_MODEL, third, fourth}


@pytest.mark.parametrize("names", [OTHER_MODEL.names, OTHER_MODEL.names[:2]], ids=["as many intents", "fewer"])
def test_another_model_that_takes_the_number_between_answer_and_labels_is_asked_again(
    line: Relay, tmp_path: Path, names: tuple[str, ...]
) -> None:
    base_path = tmp_path / "intent"
    MODEL.publish(base_path, 1)
    successor = TinyModel(names, shift=1)
    flags = ["--model_name=intent", f"--model_base_path={base_path}", "--file_system_poll_wait_seconds=1"]
    with model_server(*flags) as own, gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running:
        line.turn_to(own.grpc_port)
        with ThreadPoolExecutor() as clients:
            line.hold(b"labels")
            asking = clients.submit(_ask, running, TEXTS)
            line.held.wait()
            shutil.rmtree(base_path / "1")
            wait_for_state(own, "intent", 1, "END")
            successor.publish(base_path, 1)
            wait_for_state(own, "intent", 1, "AVAILABLE")
            line.release()
            assert _answer(asking.result()) == (1, _named(successor, TEXTS))


@dataclass
class Played:
    """Takes the place of the combiner, for moments that no real server can be brought to on demand."""

    error: GatewayError | None = None
    """What a call for a named version, or without a dialogue, comes to."""
    asked: int = 0

    def classifier(self) -> Classifier:
        async def fetch(version: int, classes: int) -> LabelList:
            return LabelList(5, ("first", "second"))

        return Classifier(self, LabelLists(fetch))  # type: ignore[arg-type]

    async def predict(
        self,
        texts: Sequence[str],
        target: Target,
        deadline: Deadline,
        dialogue: Sequence[Dialogue] | None = None,
    ) -> Answer:
        self.asked += 1
        if dialogue and self.asked == 1:
            raise ContextNotSupportedError("no signature")
        if self.error and (target.version or (not dialogue and self.asked != 2)):
            raise self.error
        return Answer(1, (0,) * len(texts), (0.75, 0.25) * len(texts), 2, 5, 0.001)


@pytest.mark.parametrize("then", [None, UnknownVersionError("gone")])
async def test_a_version_that_comes_right_after_a_dialogue_was_refused_is_asked_with_it(
    then: UnknownVersionError | None,
) -> None:
    """Else its answer would stand beside the refusal of the version before."""
    played = Played(then)
    answer = await played.classifier().classify(["a", "b"], DEFAULT, _deadline(), [NOTHING, Dialogue("student")])
    assert all(isinstance(row, Row) for row in answer.rows)
    # Refused, the other text alone, the check of that version, and all once more.
    assert played.asked == 4


async def test_a_version_that_is_missing_is_asked_for_a_few_times() -> None:
    played = Played(ModelNotReadyError("none"))
    with pytest.raises(ModelNotReadyError):
        await played.classifier().classify(["a"], Target(1), _deadline())
    assert played.asked == TRIES


def test_many_first_requests_at_once_are_all_named(server: ModelServer) -> None:
    texts = ["x" * length for length in range(1, 65)]
    with gateway(model_server=server.address, **PATIENT) as running, ThreadPoolExecutor(16) as clients:
        replies = list(clients.map(running.predict, texts))
    assert [reply.json["intent"] for reply in replies] == _named(MODEL, texts)


def test_a_model_without_labels_is_502(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_name="nameless", **PATIENT) as running:
        error = running.predict("a").error
    told = [line for line in running.log if "labels" in line]
    assert 0 < len(told) <= 2 * labels.TRIES, "the operator is told which signature is missing, and not over and over"
    assert error == (
        502,
        "model_contract_broken",
        "the model lacks what the contract asks of it, see the gateway's log; publish it again",
    )


def test_a_model_from_before_label_set_is_502_and_says_to_publish_it_again(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_name="unmarked", **PATIENT) as running:
        error = running.predict("a").error
    assert "label_set" in "".join(running.log), "the operator is told what is missing"
    assert error[:2] == (502, "model_contract_broken")
    assert "publish it again" in error[2]


def test_an_unknown_model_is_503(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_name="unknown", **PATIENT) as running:
        assert running.predict("a").error == (
            503,
            "model_not_ready",
            "the model server serves no such version of the model now; try again",
        )
