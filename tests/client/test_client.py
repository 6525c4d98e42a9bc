"""The Python client at a real gateway in front of a real model server."""

import pytest

from intent_client import AnswerError, AsyncClient, Prediction, Turn, UsageError
from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.running import gateway
from tests.gateway.tiny_model import NOT_A_NUMBER, PROBABILITY, probability
from tests.servers import ModelServer

TEXTS = ["a", "ab", "abc", "naïve café", "🍝 pasta", 'quote " and \\', "NUL \x00 inside"]


async def test_predict_gives_the_ranked_intents(url: str) -> None:
    async with AsyncClient(url) as client:
        got = await client.predict("How long?", top_k=2)
    assert (got.intent, got.abstained, got.score) == (MODEL.intent("How long?"), False, PROBABILITY)
    assert (got.model, got.version) == ("intent", 1)
    assert got.intents[0].intent == got.intent
    assert [each.score for each in got.intents] == [PROBABILITY, 0.125]
    assert 0 < got.timing_ms.model <= got.timing_ms.total
    assert got.request_id


@pytest.mark.parametrize("text", TEXTS)
async def test_every_text_arrives_as_it_is(url: str, text: str) -> None:
    async with AsyncClient(url) as client:
        assert (await client.predict(text)).intent == MODEL.intent(text)


async def test_who_spoke_and_what_came_before_reach_the_model(url: str) -> None:
    async with AsyncClient(url) as client:
        got = await client.predict("Yes", role="student", previous="Shall we go on?")
        assert got.score == pytest.approx(probability("student", "Shall we go on?"))
        assert (await client.predict("Yes", role="unknown", previous="")).score == PROBABILITY
        many = await client.predict_many(
            ["Yes", Turn("No", role="teacher"), Turn("ok", previous="So?"), Turn("well"), Turn("", role="student")]
        )
    assert [each.score for each in many if isinstance(each, Prediction)] == pytest.approx(
        [PROBABILITY, probability("teacher"), probability("", "So?"), PROBABILITY]
    )
    assert [each.pointer for each in many if isinstance(each, AnswerError)] == ["/texts/4/text"]


async def test_an_error_names_the_field_of_its_text_among_all_of_them(url: str) -> None:
    turns = [Turn("a", previous="x" * (1001 if number in (3, 8) else number)) for number in range(9)]
    # One request takes 2000 bytes.
    async with AsyncClient(url, batch_size=5) as client:
        got = await client.predict_many(turns)
    assert [(each.pointer, each.code) for each in got if isinstance(each, AnswerError)] == [
        ("/texts/3/previous", "text_too_long"),
        ("/texts/8/previous", "text_too_long"),
    ]
    assert sum(isinstance(each, Prediction) for each in got) == 7


async def test_a_model_that_cannot_use_it_refuses_who_needs_it_only(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_name="plain", **PATIENT) as running:
        async with AsyncClient(f"http://127.0.0.1:{running.port}") as client:
            with pytest.raises(AnswerError) as refused:
                await client.predict("a", role="student")
            many = await client.predict_many(["a", Turn("b", role="student")])
    assert (refused.value.status, refused.value.code) == (422, "context_not_supported")
    assert refused.value.pointer == "/role"
    good, bad = many
    assert isinstance(good, Prediction)
    assert isinstance(bad, AnswerError)
    assert (bad.code, bad.pointer) == ("context_not_supported", "/texts/1")


async def test_below_the_threshold_it_abstains(url: str) -> None:
    async with AsyncClient(url) as client:
        got = await client.predict("How long?", threshold=0.9)
        assert (got.intent, got.abstained, got.score) == (None, True, PROBABILITY)
        assert len(got.intents) == len(MODEL.names)
        assert (await client.predict("How long?", threshold=PROBABILITY)).abstained is False


async def test_a_version_or_a_label_can_be_asked(url: str) -> None:
    async with AsyncClient(url) as client:
        assert (await client.predict("a", version=1)).version == 1
        assert (await client.predict("a", label="stable")).version == 1
        assert (await client.predict_many(["a"], label="stable"))[0].version == 1
        assert (await client.intents(version=1)).version == 1
        for ask in (
            client.predict("a", version=99),
            client.predict_many(["a"], version=99),
            client.intents(version=99),
        ):
            with pytest.raises(AnswerError) as refused:
                await ask
            assert (refused.value.status, refused.value.code) == (404, "unknown_version")


async def test_intents_and_models(url: str) -> None:
    async with AsyncClient(url) as client:
        intents, models = await client.intents(), await client.models()
    assert (intents.model, intents.version, intents.intents) == ("intent", 1, MODEL.names)
    assert (models.name, models.default_label) == ("intent", None)
    assert [(each.version, each.state, each.error) for each in models.versions] == [(1, "AVAILABLE", None)]


async def test_a_refusal_says_everything(url: str) -> None:
    async with AsyncClient(url) as client:
        with pytest.raises(AnswerError) as refused:
            await client.predict("  ")
        error = refused.value
        assert (error.status, error.code, error.pointer) == (400, "invalid_request", "/text")
        assert "empty" in error.detail
        assert str(error) == error.detail
        assert error.request_id
        assert error.retry_after is None
        with pytest.raises(AnswerError) as refused:
            await client.predict("x" * 1001)
        assert (refused.value.status, refused.value.code) == (413, "text_too_long")


async def test_many_texts_keep_their_order_over_several_requests(url: str) -> None:
    texts = ["x" * (1 + number % 7) for number in range(70)]
    async with AsyncClient(url, batch_size=16) as client:
        got = await client.predict_many(texts, top_k=1)
    assert [each.intent for each in got if isinstance(each, Prediction)] == [MODEL.intent(text) for text in texts]
    # 70 texts in requests of 16.
    assert len({each.request_id for each in got}) == 5
    assert all(len(each.intents) == 1 for each in got if isinstance(each, Prediction))


async def test_a_bad_text_has_its_error_in_its_place(url: str) -> None:
    async with AsyncClient(url, batch_size=3) as client:
        got = await client.predict_many(["a", "b", "c", "d", "", NOT_A_NUMBER, "g", "x" * 1001])
    assert [isinstance(each, Prediction) for each in got] == [True] * 4 + [False, False, True, False]
    empty, nan, long = (each for each in got if isinstance(each, AnswerError))
    assert (empty.status, empty.code, empty.pointer) == (400, "invalid_request", "/texts/4")
    assert (nan.status, nan.code, nan.pointer) == (502, "model_contract_broken", "/texts/5")
    assert (long.status, long.code, long.pointer) == (413, "text_too_long", "/texts/7")
    assert empty.request_id


async def test_only_bad_texts_and_no_texts(url: str) -> None:
    async with AsyncClient(url) as client:
        assert [each.code for each in await client.predict_many([" ", ""])] == ["invalid_request"] * 2
        assert await client.predict_many([]) == []


async def test_a_request_too_large_for_the_gateway_is_halved(url: str) -> None:
    """It takes 2000 bytes a body and 64 texts a request."""
    large = ["x" * (300 + number) for number in range(9)]
    many = ["y" * (1 + number % 5) for number in range(100)]
    async with AsyncClient(url, batch_size=100) as client:
        for texts in (large, many):
            got = await client.predict_many(texts)
            assert [each.intent for each in got if isinstance(each, Prediction)] == [
                MODEL.intent(text) for text in texts
            ]


async def test_what_concerns_no_text_is_raised(url: str) -> None:
    async with AsyncClient(url) as client:
        with pytest.raises(AnswerError) as refused:
            await client.predict_many(["a", "b"], top_k=0)
    assert (refused.value.status, refused.value.pointer) == (400, "/top_k")


async def test_a_gateway_without_model_server_is_asked_until_time_is_up() -> None:
    with gateway(model_server="127.0.0.1:1", **PATIENT) as running:
        waits: list[str] = []
        client = AsyncClient(
            f"http://127.0.0.1:{running.port}", time_limit=2.5, on_wait=lambda error, _seconds: waits.append(error.code)
        )
        async with client:
            with pytest.raises(AnswerError) as refused:
                await client.predict("a")
    assert (refused.value.status, refused.value.code) == (503, "model_server_unavailable")
    assert refused.value.retry_after == 1
    assert set(waits) == {"model_server_unavailable"}


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "localhost:5000",
        "ftp://localhost",
        "http://",
        "http://[",
        "http://localhost:0",
        "http://localhost:65536",
        "http://localhost/?a=1",
        "http://user:word@localhost",
    ],
)
def test_a_wrong_url_is_said_at_once(wrong: str) -> None:
    with pytest.raises(UsageError, match="no URL of a gateway; write it like http://localhost:5000"):
        AsyncClient(wrong)


@pytest.mark.parametrize("wrong", ["", "a b", "key\n", "schlüssel"])
def test_a_wrong_key_is_said_at_once(wrong: str) -> None:
    with pytest.raises(UsageError, match="API key"):
        AsyncClient(key=wrong)


@pytest.mark.parametrize("wrong", [{"time_limit": 0}, {"connections": 0}, {"batch_size": 0}])
def test_a_wrong_number_is_said_at_once(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        AsyncClient(**wrong)


async def test_a_closed_client_says_how_to_use_it(url: str) -> None:
    client = AsyncClient(url)
    with pytest.raises(UsageError, match="open the client first"):
        await client.predict("a")
    async with client:
        assert (await client.predict("a")).version == 1
    with pytest.raises(UsageError, match="open the client first"):
        await client.models()


async def test_half_a_character_is_refused_before_it_is_sent(url: str) -> None:
    async with AsyncClient(url) as client:
        with pytest.raises(UsageError, match="lone surrogate"):
            await client.predict("\ud83d")
