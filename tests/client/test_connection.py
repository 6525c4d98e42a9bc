"""What the client does when it is refused, cut off, or not answered: at a stand-in, where that can be had at will."""

import asyncio
import time
from itertools import pairwise

import pytest

from intent_client import AnswerError, AsyncClient, BadAnswerError, ClientError, Prediction, Turn, UnreachableError
from tests.client.stand_in import Reaction, StandIn, break_off, cut, intent, refuse, say, stand_in
from tests.servers import free_port

# A hang guard where the limit is not what is tested.
PATIENT = 60.0


@pytest.mark.parametrize(
    "first",
    [
        refuse(503, "overloaded", retry_after="0"),
        refuse(429, "rate_limited", retry_after="0"),
        refuse(504, "deadline_exceeded"),
        refuse(503, "model_not_ready"),
        say(502, "<html>the load balancer lost it</html>"),
        cut,
        break_off,
    ],
)
async def test_what_passes_is_tried_again_under_the_same_id(played: StandIn, first: Reaction) -> None:
    played.reactions = [first, first]
    async with AsyncClient(played.url, time_limit=PATIENT) as client:
        got = await client.predict("hello")
    assert got.intent == intent("hello")
    assert len(played.asked) == 3
    assert len({asked.headers["X-Request-Id"] for asked in played.asked}) == 1
    assert got.request_id == played.asked[0].headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "invalid_request"), (401, "key_required"), (404, "unknown_version"), (500, "internal_error")],
)
async def test_what_stays_wrong_is_asked_once(played: StandIn, status: int, code: str) -> None:
    played.reactions = [refuse(status, code, pointer="/text")]
    async with AsyncClient(played.url) as client:
        with pytest.raises(AnswerError, match=f"about {code}") as refused:
            await client.predict("hello")
    error = refused.value
    assert (error.status, error.code, error.pointer) == (status, code, "/text")
    assert error.request_id == played.asked[0].headers["X-Request-Id"]
    assert len(played.asked) == 1


async def test_retry_after_is_honoured_by_every_request_of_the_client(played: StandIn) -> None:
    played.reactions = [refuse(429, "rate_limited", retry_after="1")]
    refused = asyncio.Event()
    async with AsyncClient(played.url, time_limit=PATIENT, on_wait=lambda *_: refused.set()) as client:
        first = asyncio.create_task(client.predict("first"))
        await refused.wait()
        await asyncio.gather(first, client.predict("second"))
    one, *later = played.asked
    assert len(later) == 2
    assert all(asked.at - one.at >= 1 for asked in later)


async def test_a_retry_after_beyond_the_time_limit_is_not_waited_for(played: StandIn) -> None:
    played.reactions = [refuse(503, "overloaded", retry_after="3600")]
    async with AsyncClient(played.url, time_limit=PATIENT) as client:
        for _ in range(2):
            with pytest.raises(AnswerError) as refused:
                await client.predict("hello")
            assert (refused.value.status, refused.value.code, refused.value.retry_after) == (503, "overloaded", 3600)
    # The second was not even sent.
    assert len(played.asked) == 1


async def test_a_date_as_retry_after_is_understood(played: StandIn) -> None:
    played.reactions = [
        say(503, **{"Retry-After": "soon"}),
        say(503, **{"Retry-After": "Wed, 21 Oct 2065 07:28:00 GMT"}),
    ]
    async with AsyncClient(played.url, time_limit=PATIENT) as client:
        with pytest.raises(AnswerError) as refused:
            await client.predict("hello")
    assert refused.value.code == "http_503"
    assert refused.value.retry_after is not None
    assert refused.value.retry_after > 1e6
    assert len(played.asked) == 2


async def test_pauses_grow_while_it_fails(played: StandIn) -> None:
    played.reactions = [cut] * 4
    waits: list[float] = []
    client = AsyncClient(played.url, time_limit=PATIENT, on_wait=lambda error, seconds: waits.append(seconds))
    async with client:
        await client.predict("hello")
    assert len(waits) == 4
    assert all(later > earlier for earlier, later in pairwise(waits))
    for wait, (before, after) in zip(waits, pairwise(played.asked), strict=True):
        assert after.at - before.at >= wait


async def test_no_answer_is_waited_for_beyond_the_time_limit(played: StandIn) -> None:
    played.reactions = [played.hold]
    async with AsyncClient(played.url, time_limit=0.3) as client:
        with pytest.raises(UnreachableError, match=r"no answer from http://127\.0\.0\.1:\d+ in 0\.\d+ s") as late:
            await client.predict("hello")
    assert (late.value.code, late.value.status) == ("unreachable", None)
    assert late.value.request_id == played.asked[0].headers["X-Request-Id"]
    # What the gateway is told is whole milliseconds, and less than the limit.
    assert 200 < int(played.asked[0].headers["X-Request-Timeout"]) < 300
    played.release()


async def test_a_later_try_is_told_the_time_that_is_left(played: StandIn) -> None:
    played.reactions = [refuse(503, "overloaded", retry_after="1")]
    async with AsyncClient(played.url, time_limit=10) as client:
        await client.predict("hello")
    first, second = (int(asked.headers["X-Request-Timeout"]) for asked in played.asked)
    assert first - second >= 1000


async def test_nobody_there() -> None:
    began = time.monotonic()
    async with AsyncClient(f"http://127.0.0.1:{free_port()}", time_limit=0.5) as client:
        with pytest.raises(UnreachableError, match="no connection to http://127"):
            await client.predict("hello")
    # The last try may end early: a pause that would go beyond the limit is not begun.
    assert time.monotonic() - began >= 0.1


async def test_a_gateway_that_comes_later_is_found() -> None:
    port = free_port()
    waited = asyncio.Event()
    async with AsyncClient(f"http://127.0.0.1:{port}", time_limit=PATIENT, on_wait=lambda *_: waited.set()) as client:
        asking = asyncio.create_task(client.predict("hello"))
        await waited.wait()
        with stand_in(port):
            assert (await asking).intent == intent("hello")


@pytest.mark.parametrize(
    ("reaction", "kind", "words"),
    [
        (say(200, "<html>Welcome</html>"), BadAnswerError, "is the URL right?"),
        (say(200, "{}"), BadAnswerError, "is the URL right?"),
        (say(404, "<html>Not found</html>"), AnswerError, "HTTP 404 Not Found, and no word why; is the URL right?"),
        (say(301, Location="https://x.example/"), AnswerError, "points to https://x.example/: use that as the URL"),
    ],
)
async def test_something_else_answers(played: StandIn, reaction: Reaction, kind: type[ClientError], words: str) -> None:
    played.reactions = [reaction]
    async with AsyncClient(played.url) as client:
        with pytest.raises(kind) as wrong:
            await client.predict("hello")
    assert words in str(wrong.value)
    assert len(played.asked) == 1


async def test_https_to_a_port_that_speaks_http_is_final(played: StandIn) -> None:
    async with AsyncClient(played.url.replace("http:", "https:"), time_limit=PATIENT) as client:
        with pytest.raises(UnreachableError, match="no secure connection to https://"):
            await client.predict("hello")


async def test_the_key_goes_along_and_a_path_before_v1_is_kept(played: StandIn) -> None:
    async with AsyncClient(f"{played.url}/below/", key="s3cret") as client:
        await client.predict("hello")
    assert played.asked[0].headers["Authorization"] == "Bearer s3cret"
    assert played.asked[0].path == "/below/v1/predict"


async def test_one_pool_of_connections(played: StandIn) -> None:
    async with AsyncClient(played.url, connections=3) as client:
        got = await asyncio.gather(*(client.predict("x" * number) for number in range(1, 41)))
    assert [each.intent for each in got] == [intent("x" * number) for number in range(1, 41)]
    assert len({asked.peer for asked in played.asked}) <= 3


async def test_what_is_not_said_is_not_sent(played: StandIn) -> None:
    async with AsyncClient(played.url) as client:
        await client.predict("hello")
        await client.predict("hello", top_k=2, threshold=0.0, label="stable")
        await client.predict("hello", role="teacher", previous="")
        await client.predict_many(["hello", Turn("yes", role="student"), Turn("no", previous="So?"), Turn("well")])
    assert [asked.body for asked in played.asked] == [
        {"text": "hello"},
        {"text": "hello", "top_k": 2, "threshold": 0.0, "label": "stable"},
        {"text": "hello", "role": "teacher", "previous": ""},
        {"texts": ["hello", {"text": "yes", "role": "student"}, {"text": "no", "previous": "So?"}, {"text": "well"}]},
    ]


async def test_a_failure_on_one_of_many_texts_is_found_by_halving(played: StandIn) -> None:
    broken = refuse(502, "model_contract_broken")
    # The whole, its second half, and that half's first text.
    played.reactions = [broken, played.answer, broken, broken, played.answer]
    async with AsyncClient(played.url) as client:
        got = await client.predict_many(["a", "bb", "ccc", "dddd"])
    assert [each.intent if isinstance(each, Prediction) else each.code for each in got] == [
        intent("a"),
        intent("bb"),
        "model_contract_broken",
        intent("dddd"),
    ]
    assert [asked.texts for asked in played.asked] == [
        ["a", "bb", "ccc", "dddd"],
        ["a", "bb"],
        ["ccc", "dddd"],
        ["ccc"],
        ["dddd"],
    ]


async def test_a_load_balancer_that_stays_lost_is_not_halved(played: StandIn) -> None:
    played.always = say(502)
    async with AsyncClient(played.url, time_limit=0.5) as client:
        with pytest.raises(AnswerError) as lost:
            await client.predict_many(["a", "bb"])
    assert lost.value.code == "http_502"
    assert all(asked.texts == ["a", "bb"] for asked in played.asked)


async def test_as_many_results_as_texts(played: StandIn) -> None:
    played.reactions = [
        say(
            200,
            '{"model":{"name":"m","version":1},"request_id":"r","results":[],"timing_ms":'
            '{"queue":0,"model":0,"gateway":0,"total":0}}',
        )
    ]
    async with AsyncClient(played.url) as client:
        with pytest.raises(BadAnswerError, match="0 results for 1 texts"):
            await client.predict_many(["a"])
