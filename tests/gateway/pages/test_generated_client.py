"""A client that openapi-python-client generates from the gateway's document, at the gateway."""

import importlib
import inspect
import subprocess
import sys
from types import ModuleType

import pytest

from tests.gateway.conftest import MODEL
from tests.gateway.running import Gateway


@pytest.fixture(scope="module")
def generated(running: Gateway, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The client, imported."""
    folder = tmp_path_factory.mktemp("client")
    config = folder / "config.yaml"
    config.write_text("post_hooks: []\n")
    words = ["--url", f"http://127.0.0.1:{running.port}/openapi.json", "--config", config, "--meta", "none"]
    command = [sys.executable, "-m", "openapi_python_client", "generate", *words]
    subprocess.run([*command, "--output-path", folder / "generated_intent"], check=True, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        package = importlib.import_module("generated_intent")
        for name in ("models", "api.prediction.classify", "api.model.intents", "api.model.models"):
            importlib.import_module(f"generated_intent.{name}")
    return package


def test_it_asks_and_gets_typed_answers(generated: ModuleType, running: Gateway) -> None:
    models, api = generated.models, generated.api
    client = generated.Client(base_url=f"http://127.0.0.1:{running.port}")

    answer = api.prediction.classify.sync(client=client, body=models.ClassifyBody(text="How long?", top_k=2))
    assert isinstance(answer, models.TextAnswer)
    assert (answer.result.intent, answer.model.version) == (MODEL.intent("How long?"), 1)
    assert [type(each) for each in answer.result.intents] == [models.Ranked] * 2

    turn = models.Turn(text="Yes", role=models.TurnRole.STUDENT, previous="Shall we go on?")
    answer = api.prediction.classify.sync(client=client, body=models.ClassifyBody(texts=["a", turn, " "]))
    assert isinstance(answer, models.TextsAnswer)
    assert [type(each) for each in answer.results] == [models.Result, models.Result, models.ItemError]
    assert answer.results[2].error.pointer == "/texts/2"

    known = api.model.intents.sync(client=client, version=1)
    assert isinstance(known, models.IntentsAnswer)
    assert known.intents == list(MODEL.names)
    assert api.model.models.sync(client=client).versions[0].state == "AVAILABLE"


def test_it_gets_typed_errors(generated: ModuleType, running: Gateway) -> None:
    models, classify = generated.models, generated.api.prediction.classify
    client = generated.Client(base_url=f"http://127.0.0.1:{running.port}")
    reply = classify.sync_detailed(client=client, body=models.ClassifyBody(text="a", version=99))
    assert reply.status_code == 404
    assert isinstance(reply.parsed, models.Problem)
    assert reply.parsed.code == models.ProblemCode.UNKNOWN_VERSION
    # What the schema cannot say is refused with words.
    refused = classify.sync(client=client, body=models.ClassifyBody(text="a", texts=["b"]))
    assert isinstance(refused, models.Problem)
    assert (refused.code, refused.pointer) == (models.ProblemCode.INVALID_REQUEST, "/texts")


def test_its_body_has_typed_fields(generated: ModuleType) -> None:
    fields = inspect.get_annotations(generated.models.ClassifyBody)
    assert {name: str(kind) for name, kind in fields.items() if name != "additional_properties"} == {
        "text": "str | Unset",
        "role": "ClassifyBodyRole | Unset",
        "previous": "str | Unset",
        "texts": "list[str | Turn] | Unset",
        "top_k": "int | Unset",
        "threshold": "float | Unset",
        "version": "int | Unset",
        "label": "str | Unset",
    }
