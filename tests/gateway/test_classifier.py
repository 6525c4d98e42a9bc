"""Every prediction is named by the labels of the model that made it, whatever happens to versions and servers."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.backend import Answer
from gateway.classifier import Classifier
from gateway.deadline import Deadline
from gateway.errors import ModelServerUnavailableError
from gateway.labels import LabelCache
from tests.gateway.conftest import MODEL, OTHER_MODEL, PATIENT, wait_for_state
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, Reply, gateway
from tests.gateway.tiny_model import TinyModel
from tests.servers import ModelServer

TEXTS = ("a", "ab", "abc")


@contextmanager
def _traffic(running: Gateway, check: Callable[[str, Reply], None]) -> Iterator[None]:
    """Four clients that ask without a pause; each reply goes to `check`, whose assertions count at the end."""
    stopped = False

    def ask() -> None:
        asked = 0
        while not stopped:
            text = TEXTS[asked % len(TEXTS)]
            check(text, running.predict(text))
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


def test_a_new_version_takes_over_under_traffic_without_a_failed_or_misnamed_answer(
    server: ModelServer, models: Path
) -> None:
    seen: set[int] = set()

    def check(text: str, reply: Reply) -> None:
        assert reply.status == 200, reply.body
        version = reply.json["version"]
        assert reply.json["intent"] == {1: MODEL, 2: OTHER_MODEL}[version].intent(text)
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


@pytest.mark.parametrize(("model_name", "content"), [("moved", b"signature_def"), ("moved_later", b"labels")])
def test_a_version_that_goes_between_answer_and_labels_is_asked_again(
    server: ModelServer, models: Path, line: Relay, model_name: str, content: bytes
) -> None:
    """`content` is in what the gateway sends for the labels, after version 1 has answered."""
    with (
        gateway(model_server=f"127.0.0.1:{line.port}", model_name=model_name, **PATIENT) as running,
        ThreadPoolExecutor() as clients,
    ):
        line.hold(content)
        asking = clients.submit(running.predict, "abc")
        line.held.wait()
        OTHER_MODEL.publish(models / model_name, 2)
        wait_for_state(server, model_name, 1, "END")
        line.release()
        reply = asking.result()
    assert reply.status == 200
    assert (reply.json["intent"], reply.json["version"]) == (OTHER_MODEL.intent("abc"), 2)


def test_another_model_under_the_same_number_on_another_server_is_never_misnamed(
    server: ModelServer, other_server: ModelServer, line: Relay
) -> None:
    named: set[str] = set()

    def check(text: str, reply: Reply) -> None:
        # The moment in which the connection breaks may cost an answer, but never gives a wrong one.
        if reply.status == 200:
            assert reply.json["intent"] in (MODEL.intent(text), OTHER_MODEL.intent(text))
            named.add(reply.json["intent"])
        else:
            assert reply.error[:2] == (503, "model_server_unavailable")

    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running, _traffic(running, check):
        for port, model in ((server.grpc_port, MODEL), (other_server.grpc_port, OTHER_MODEL)) * 3:
            line.turn_to(port)
            for text in TEXTS:
                while (reply := running.predict(text)).status != 200 or reply.json["intent"] != model.intent(text):
                    check(text, reply)
                check(text, reply)
    assert named == {*MODEL.names, *OTHER_MODEL.names}


async def test_an_answer_and_labels_from_either_side_of_a_lost_connection_are_not_put_together() -> None:
    """No real server can be made to break in this moment, so the two calls are played here."""

    class Server:
        asked = 0
        is_flapping = False

        async def predict(self, texts: list[str], deadline: Deadline) -> Answer:
            self.asked += 1
            return Answer(1, (0,), (0.6, 0.4), 2)

        async def labels(self, version: int) -> tuple[str, ...]:
            if self.asked == 1 or self.is_flapping:
                cache.forget()
            return (f"first after {self.asked}", "second")

    server = Server()
    cache = LabelCache(server.labels)
    classifier = Classifier(server, cache)
    assert (await classifier.classify("a", Deadline.after(60))).intent == "first after 2"

    server.is_flapping = True
    cache.forget()
    server.asked = 0
    with pytest.raises(ModelServerUnavailableError, match="keeps changing"):
        await classifier.classify("a", Deadline.after(60))
    assert server.asked == 2


def test_many_first_requests_at_once_are_all_named(server: ModelServer) -> None:
    texts = ["x" * length for length in range(1, 65)]
    with gateway(model_server=server.address, **PATIENT) as running, ThreadPoolExecutor(16) as clients:
        replies = list(clients.map(running.predict, texts))
    assert [reply.json["intent"] for reply in replies] == [MODEL.intent(text) for text in texts]


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
