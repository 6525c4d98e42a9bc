"""Who spoke and what came before: what of it reaches the model, and what happens where the model cannot use it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.conftest import MODEL, OTHER_MODEL, PATIENT
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, Reply, gateway
from tests.gateway.scraped import Scraped
from tests.gateway.tiny_model import NOT_A_NUMBER, PROBABILITY, TinyModel, probability
from tests.servers import ModelServer

UNSUPPORTED = "this version of the model cannot use `role` and `previous`; leave them out, or ask another version"


@pytest.fixture(scope="module")
def both(server: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway for a model whose version 1 has the signature `dialogue`, and version 2, the default one, has not."""
    from tests.servers import model_server

    folder = tmp_path_factory.mktemp("dialogue") / "intent"
    MODEL.publish(folder, 1)
    OTHER_MODEL.publish(folder, 2)
    config = folder.parent / "models.config"
    config.write_text(
        f'model_config_list {{ config {{ name: "intent" base_path: "{folder}" model_platform: "tensorflow" '
        'model_version_policy { all {} } version_labels { key: "reads" value: 1 } '
        'version_labels { key: "plain" value: 2 } } }\n'
    )
    flags = f"--model_config_file={config}", "--allow_version_labels_for_unavailable_models"
    with model_server(*flags) as own, gateway(model_server=own.address, **PATIENT) as it:
        yield it


def ask(running: Gateway, body: Any) -> Reply:
    content = body if isinstance(body, str) else json.dumps(body)
    return running.send("POST", "/v1/predict", content, Content_Type="application/json")


@pytest.mark.parametrize("role", ["student", "teacher"])
@pytest.mark.parametrize("previous", ["Shall we go on?", "🍝 é", "NUL \x00", "x" * 1000, 'quote " and \\'])
def test_role_and_previous_reach_the_model(running: Gateway, role: str, previous: str) -> None:
    result = ask(running, {"text": "ab", "role": role, "previous": previous}).json["result"]
    assert (result["intent"], result["score"]) == (MODEL.intent("ab"), pytest.approx(probability(role, previous)))
    result = ask(running, {"texts": [{"text": "ab", "role": role, "previous": previous}]}).json["results"][0]
    assert (result["intent"], result["score"]) == (MODEL.intent("ab"), pytest.approx(probability(role, previous)))


@pytest.mark.parametrize(
    ("known", "score"),
    [
        ({"role": "student"}, probability("student")),
        ({"previous": "before"}, probability("", "before")),
        ({"role": "unknown", "previous": "before"}, probability("", "before")),
        ({"role": "teacher", "previous": ""}, probability("teacher")),
        ({"role": "teacher", "previous": " \n\u3000"}, probability("teacher")),
    ],
)
def test_what_is_not_known_is_sent_as_nothing(running: Gateway, known: dict[str, str], score: float) -> None:
    assert ask(running, {"text": "ab", **known}).json["result"]["score"] == pytest.approx(score)


@pytest.mark.parametrize(
    "known", [{"role": "unknown"}, {"previous": ""}, {"previous": " \t"}, {"role": "unknown", "previous": ""}]
)
def test_who_says_that_nothing_is_known_is_answered_by_every_model(both: Gateway, known: dict[str, str]) -> None:
    reply = ask(both, {"text": "ab", **known})
    assert (reply.json["model"]["version"], reply.json["result"]["intent"]) == (2, OTHER_MODEL.intent("ab"))
    reply = ask(both, {"texts": [{"text": "ab", **known}, {"text": "a"}]})
    assert [each["intent"] for each in reply.json["results"]] == [OTHER_MODEL.intent(text) for text in ("ab", "a")]


def test_items_with_and_without_go_in_one_call_and_keep_their_order(running: Gateway) -> None:
    items = [
        "abc",
        {"text": "a", "role": "student", "previous": "one"},
        {"text": "ab"},
        {"text": "abcd", "previous": "three"},
        "a: b",
        {"text": NOT_A_NUMBER, "role": "teacher"},
        {"text": "ab", "role": "teacher", "previous": "a: b"},
    ]
    ask(running, {"texts": items})
    before = _predicts(running)
    results = ask(running, {"texts": items}).json["results"]
    # The labels may have to be fetched anew meanwhile.
    assert _predicts(running) - before <= 2
    assert results.pop(5)["error"]["code"] == "model_contract_broken"
    assert [each["intent"] for each in results] == [
        MODEL.intent(text) for text in ("abc", "a", "ab", "abcd", "a: b", "ab")
    ]
    assert [each["score"] for each in results] == pytest.approx(
        [
            PROBABILITY,
            probability("student", "one"),
            PROBABILITY,
            probability("", "three"),
            PROBABILITY,
            probability("teacher", "a: b"),
        ]
    )


@pytest.mark.parametrize(
    ("known", "status", "code", "pointer", "detail"),
    [
        ({"role": "cook"}, 400, "invalid_request", "/role", "the role is none of student, teacher, unknown; send one"),
        ({"role": ""}, 400, "invalid_request", "/role", "the role is none of student, teacher, unknown; send one"),
        ({"role": "Student"}, 400, "invalid_request", "/role", "the role is none of student, teacher, unknown; "),
        ({"role": None}, 400, "invalid_request", "/role", "Expected `str`, got `null`"),
        ({"role": 1}, 400, "invalid_request", "/role", "Expected `str`, got `int`"),
        ({"role": ["student"]}, 400, "invalid_request", "/role", "Expected `str`, got `array`"),
        ({"previous": None}, 400, "invalid_request", "/previous", "Expected `str`, got `null`"),
        ({"previous": {"text": "b"}}, 400, "invalid_request", "/previous", "Expected `str`, got `object`"),
        (
            {"previous": "x" * 1001},
            413,
            "text_too_long",
            "/previous",
            "the turn before has 1001 characters; send at mo",
        ),
        ({"role": "student", "previous": "x" * 1001}, 413, "text_too_long", "/previous", "the turn before has 1001 "),
        ({"rôle": "student"}, 400, "invalid_request", "/rôle", "Object contains unknown field `rôle`"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_field(
    running: Gateway, known: dict[str, Any], status: int, code: str, pointer: str, detail: str
) -> None:
    reply = ask(running, {"text": "a", **known})
    assert reply.error[:2] == (status, code)
    assert reply.json["pointer"] == pointer
    assert reply.json["detail"].startswith(detail)
    # As an item, it fails alone.
    reply = ask(running, {"texts": ["a", {"text": "b", **known}, "ab"]})
    first, failed, last = reply.json["results"]
    assert [first["intent"], last["intent"]] == [MODEL.intent("a"), MODEL.intent("ab")]
    error = failed["error"]
    assert (error["status"], error["code"], error["pointer"]) == (status, code, f"/texts/1{pointer}")
    assert error["detail"].startswith(detail)


@pytest.mark.parametrize(
    ("item", "status", "pointer", "detail"),
    [
        ({}, 400, "/text", "Object missing required field `text` at /texts/0/text; send {"),
        ({"role": "student"}, 400, "/text", "Object missing required field `text`"),
        ({"text": 1}, 400, "/text", "Expected `str`, got `int` at /texts/0/text"),
        ({"text": " "}, 400, "/text", "the text is empty; send what was said"),
        ({"text": "x" * 1001}, 413, "/text", "the text has 1001 characters"),
        ({"text": "a", "label": "stable"}, 400, "/label", "Object contains unknown field `label`"),
        (3, 400, "", "the item is no text; send a string or {"),
        (["a", "student"], 400, "", "the item is no text; send a string or {"),
    ],
)
def test_an_item_of_another_shape_has_its_own_error(
    running: Gateway, item: Any, status: int, pointer: str, detail: str
) -> None:
    failed, good = ask(running, {"texts": [item, "a"]}).json["results"]
    assert (failed["error"]["status"], failed["error"]["pointer"]) == (status, f"/texts/0{pointer}")
    assert failed["error"]["detail"].startswith(detail)
    assert good["intent"] == MODEL.intent("a")


@pytest.mark.parametrize("name", ["role", "previous"])
def test_around_several_texts_nothing_can_be_said_at_once(running: Gateway, name: str) -> None:
    reply = ask(running, {"texts": ["a"], name: "student"})
    assert reply.error[:2] == (400, "invalid_request")
    assert reply.json["pointer"] == f"/{name}"
    assert reply.json["detail"].startswith(f"`{name}` goes with one text; in `texts`, send items like {{")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"text": "a", "role": "student", "role": "teacher"}', "/role"),
        ('{"texts": ["a: b", {"text": "a", "role": "student", "role": "teacher"}]}', "/texts/1/role"),
        ('{"texts": [{"text": "a", "t\\u0065xt": "b"}]}', "/texts/0/text"),
        ('{"texts": [{"a/b~": "a", "a/b~": "b"}]}', "/texts/0/a~1b~0"),
    ],
)
def test_a_field_that_comes_twice_is_refused_in_an_item_too(running: Gateway, body: str, pointer: str) -> None:
    reply = ask(running, body)
    assert reply.error[:2] == (400, "invalid_json")
    assert reply.json["pointer"] == pointer


def test_what_existing_clients_call_stays_as_it_is(running: Gateway) -> None:
    reply = running.post('{"text": "a", "role": "student"}')
    assert reply.error[:2] == (400, "invalid_request")
    assert running.predict("a").json["score"] == PROBABILITY


@pytest.mark.parametrize(
    ("known", "pointer"),
    [({"role": "student"}, "/role"), ({"previous": "b"}, "/previous"), ({"role": "teacher", "previous": "b"}, "/role")],
)
@pytest.mark.parametrize("named", [{}, {"version": 2}, {"label": "plain"}], ids=str)
def test_a_version_that_cannot_use_it_refuses(
    both: Gateway, known: dict[str, str], pointer: str, named: dict[str, Any]
) -> None:
    reply = ask(both, {"text": "a", **known, **named})
    assert reply.error == (422, "context_not_supported", UNSUPPORTED)
    assert reply.json["pointer"] == pointer
    assert "ERROR" not in "".join(both.log), "that is no failure of the model server"


@pytest.mark.parametrize("named", [{"version": 1}, {"label": "reads"}], ids=str)
def test_a_version_that_can_is_chosen(both: Gateway, named: dict[str, Any]) -> None:
    reply = ask(both, {"text": "a", "role": "teacher", "previous": "b", **named})
    assert reply.json["model"]["version"] == 1
    assert reply.json["result"]["score"] == pytest.approx(probability("teacher", "b"))


def test_a_version_that_cannot_use_it_answers_the_other_items(both: Gateway) -> None:
    items = [
        "a",
        {"text": "b", "role": "student"},
        "",
        {"text": "ab", "role": "unknown"},
        {"text": "c", "previous": "b"},
    ]
    reply = ask(both, {"texts": items})
    assert reply.json["model"]["version"] == 2
    first, refused, empty, second, also_refused = reply.json["results"]
    assert [first["intent"], second["intent"]] == [OTHER_MODEL.intent("a"), OTHER_MODEL.intent("ab")]
    assert refused["error"] == {
        "code": "context_not_supported",
        "title": "Context not supported",
        "status": 422,
        "detail": UNSUPPORTED,
        "pointer": "/texts/1",
    }
    assert also_refused["error"] == refused["error"] | {"pointer": "/texts/4"}
    assert empty["error"]["code"] == "invalid_request"


def test_where_every_item_needs_it_each_has_the_error(both: Gateway) -> None:
    reply = ask(both, {"texts": [{"text": "a", "role": "student"}, 1, {"text": "b", "previous": "c"}]})
    assert reply.status == 200
    assert reply.json["model"] == {"name": "intent", "version": None}
    assert [each["error"]["code"] for each in reply.json["results"]] == [
        "context_not_supported",
        "invalid_request",
        "context_not_supported",
    ]


def test_versions_with_and_without_follow_each_other_under_traffic(server: ModelServer, models: Path) -> None:
    """Of one answer, every part is of one version, and no answer is missing."""
    last = TinyModel(("misc", "stop", "chitchat"), shift=2)
    versions = {1: MODEL, 2: OTHER_MODEL, 3: last}
    mixed = {"texts": ["a", {"text": "ab", "role": "student", "previous": "b"}, "abc"]}
    single = {"text": "ab", "role": "teacher", "previous": "b"}
    seen: set[tuple[int | None, int]] = set()
    stopped = False

    def ask_on(running: Gateway) -> None:
        while not stopped:
            reply = ask(running, mixed)
            assert reply.status == 200, reply.body
            version, results = reply.json["model"]["version"], reply.json["results"]
            model = versions[version]
            assert [results[0]["intent"], results[2]["intent"]] == [model.intent("a"), model.intent("abc")]
            if model.has_dialogue:
                assert results[1]["intent"] == model.intent("ab")
                assert results[1]["score"] == pytest.approx(probability("student", "b"))
            else:
                assert results[1]["error"]["code"] == "context_not_supported"
            reply = ask(running, single)
            if reply.status == 200:
                model = versions[reply.json["model"]["version"]]
                assert model.has_dialogue
                assert reply.json["result"]["intent"] == model.intent("ab")
                assert reply.json["result"]["score"] == pytest.approx(probability("teacher", "b"))
            else:
                assert reply.error[:2] == (422, "context_not_supported")
            seen.add((version, reply.status))

    def until(wanted: tuple[int, int]) -> None:
        while wanted not in seen:
            for each in asking:
                assert not each.done(), each.result()

    with (
        gateway(model_server=server.address, model_name="trained", **PATIENT) as running,
        ThreadPoolExecutor(4) as clients,
    ):
        asking = [clients.submit(ask_on, running) for _ in range(4)]
        try:
            until((1, 200))
            OTHER_MODEL.publish(models / "trained", 2)
            until((2, 422))
            last.publish(models / "trained", 3)
            until((3, 200))
        finally:
            stopped = True
        for each in asking:
            each.result()


def test_behind_a_busy_model_server_each_is_asked_with_its_like(server: ModelServer, line: Relay) -> None:
    plain = [{"text": "x" * length} for length in range(1, 9)]
    known = [{"text": "y" * n, "role": "teacher", "previous": "z" * n} for n in range(1, 9)]
    with (
        gateway(model_server=f"127.0.0.1:{line.port}", max_calls=1, max_combined_texts=8, **PATIENT) as running,
        ThreadPoolExecutor(20) as clients,
    ):
        running.predict("warm")
        before = _predicts(running)
        line.hold(b"held")
        held = clients.submit(running.predict, "held")
        line.held.wait()
        bodies = [body for pair in zip(plain, known, strict=True) for body in pair]
        asked = [clients.submit(ask, running, body) for body in bodies]
        while "gateway_in_flight 17.0" not in running.get("/metrics").body.decode():
            pass
        line.release()
        results = [each.result().json["result"] for each in asked]
        assert held.result().status == 200
        calls = _predicts(running) - before
    assert [each["intent"] for each in results] == [MODEL.intent(body["text"]) for body in bodies]
    assert [each["score"] for each in results] == pytest.approx(
        [probability(body.get("role", ""), body.get("previous", "")) for body in bodies]
    )
    # The one that was held, one for all without, one for all with; the labels may have been fetched anew meanwhile.
    assert calls <= 6


def _predicts(running: Gateway) -> int:
    said = Scraped(running.get("/metrics").body)
    return int(said.value("gateway_upstream_seconds_count", method="Predict", code="OK"))
