"""The synchronous client at a real gateway: the same as the asynchronous one, without awaiting."""

import inspect
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from intent_client import AnswerError, AsyncClient, Client, Prediction, Turn, UnreachableError, UsageError
from tests.client.stand_in import StandIn, refuse
from tests.gateway.conftest import MODEL
from tests.gateway.tiny_model import PROBABILITY, probability
from tests.servers import free_port

METHODS = ["__init__", "predict", "predict_many", "intents", "models"]


@pytest.mark.parametrize("name", METHODS)
def test_both_clients_have_the_same_shape(name: str) -> None:
    assert inspect.signature(getattr(Client, name)) == inspect.signature(getattr(AsyncClient, name))


def test_every_method_answers(url: str) -> None:
    with Client(url) as client:
        one = client.predict("Yes", role="student", previous="Shall we go on?", top_k=2, version=1)
        many = client.predict_many(["a", "", Turn("No", role="teacher")], threshold=0.1)
        intents, models = client.intents(label="stable"), client.models()
    assert (one.intent, one.version, len(one.intents)) == (MODEL.intent("Yes"), 1, 2)
    assert one.score == pytest.approx(probability("student", "Shall we go on?"))
    good, bad, turn = many
    assert isinstance(good, Prediction)
    assert (good.intent, good.score) == (MODEL.intent("a"), PROBABILITY)
    assert isinstance(bad, AnswerError)
    assert (bad.code, bad.pointer) == ("invalid_request", "/texts/1")
    assert isinstance(turn, Prediction)
    assert turn.score == pytest.approx(probability("teacher"))
    assert intents.intents == MODEL.names
    assert models.versions[0].state == "AVAILABLE"


def test_errors_are_raised_where_it_was_called(url: str) -> None:
    with Client(url) as client:
        with pytest.raises(AnswerError) as refused:
            client.predict("a", version=99)
        assert (refused.value.status, refused.value.code) == (404, "unknown_version")
        assert client.predict("a").version == 1
    with Client(f"http://127.0.0.1:{free_port()}", time_limit=0.3) as client, pytest.raises(UnreachableError):
        client.predict("a")


def test_many_threads_share_one_pool_and_what_retry_after_says(played: StandIn) -> None:
    played.reactions = [refuse(429, "rate_limited", retry_after="1")]
    with Client(played.url, time_limit=60, connections=3) as client, ThreadPoolExecutor(8) as threads:
        began = time.monotonic()
        got = list(threads.map(client.predict, ["hello"] * 20))
    assert {each.version for each in got} == {3}
    assert time.monotonic() - began >= 1
    assert len({asked.peer for asked in played.asked}) <= 3


def test_it_is_used_inside_of_with(url: str) -> None:
    client = Client(url)
    with pytest.raises(UsageError, match="open the client first"):
        client.predict("a")
    for _ in range(2):
        with client:
            assert client.predict("a").version == 1
    with pytest.raises(UsageError, match="open the client first"):
        client.models()
