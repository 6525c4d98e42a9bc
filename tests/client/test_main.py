"""The commands for one answer, as people and scripts see them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.command import environment, run
from tests.client.stand_in import StandIn, refuse
from tests.gateway.conftest import MODEL
from tests.gateway.tiny_model import PROBABILITY, probability
from tests.servers import free_port

TEXT = "How long do I boil the pasta?"


def test_predict_draws_the_ranking(url: str) -> None:
    done = run("predict", TEXT, "--url", url, PYTHONIOENCODING="utf-8", COLUMNS="80")
    assert done.returncode == 0
    verdict, *bars, source = done.stdout.splitlines()
    assert verdict == MODEL.intent(TEXT)
    assert [line.split()[:2] for line in bars[:1]] == [[MODEL.intent(TEXT), "75.00%"]]
    assert {line.split()[0] for line in bars} == set(MODEL.names)
    # Six times as probable: six times as long.
    assert [line.count("█") for line in bars] == [30, 5, 5]
    assert all(len(line) <= 80 for line in bars)
    assert re.fullmatch(r"intent version 1, \d+\.\d ms \(\d+\.\d in the model\)", source)
    assert done.stderr == ""


def test_bars_keep_to_narrow_and_plain_terminals(url: str) -> None:
    done = run("predict", TEXT, "--url", url, PYTHONIOENCODING="ascii", COLUMNS="40")
    assert done.returncode == 0
    bars = done.stdout.splitlines()[1:-1]
    assert "#" in bars[0]
    assert all(len(line) <= 40 for line in bars)


def test_predict_options_reach_the_gateway(url: str) -> None:
    done = run("predict", TEXT, "--url", url, "--top-k", "1", "--threshold", "0.9", "--label", "stable")
    assert done.returncode == 0
    verdict, *bars, _source = done.stdout.splitlines()
    assert verdict == "abstained: no score reaches the threshold 0.9"
    assert len(bars) == 1
    done = run("predict", TEXT, "--url", url, "--version", "99")
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"intent-client: unknown_version: .*, request [0-9a-f]{32}\n", done.stderr)


def test_predict_as_json(url: str) -> None:
    done = run("predict", TEXT, "--url", url, "--json", "--top-k", "1")
    assert done.returncode == 0
    got = json.loads(done.stdout)
    assert got.pop("request_id")
    assert got.pop("timing_ms").keys() == {"queue", "model", "gateway", "total"}
    assert got == {
        "intent": MODEL.intent(TEXT),
        "abstained": False,
        "score": PROBABILITY,
        "intents": [{"intent": MODEL.intent(TEXT), "score": PROBABILITY}],
        "model": "intent",
        "version": 1,
    }


def test_predict_in_a_dialogue(url: str) -> None:
    words = ["predict", "Yes", "--url", url, "--json", "--role", "teacher", "--previous", "Shall we go on?"]
    done = run(*words)
    assert done.returncode == 0
    assert json.loads(done.stdout)["score"] == pytest.approx(probability("teacher", "Shall we go on?"))


def test_intents_and_models(url: str) -> None:
    assert run("intents", "--url", url).stdout.splitlines() == list(MODEL.names)
    assert json.loads(run("intents", "--url", url, "--json", "--version", "1").stdout) == {
        "model": "intent",
        "version": 1,
        "intents": list(MODEL.names),
    }
    head, line = run("models", "--url", url).stdout.splitlines()
    assert head.split() == ["version", "state", "labels"]
    assert line.split()[:2] == ["1", "AVAILABLE"]
    got = json.loads(run("models", "--url", url, "--json").stdout)
    assert (got["name"], got["versions"][0]["version"]) == ("intent", 1)


def test_nobody_there_is_status_1() -> None:
    port = free_port()
    done = run("predict", TEXT, "--url", f"http://127.0.0.1:{port}", "--time-limit", "0.2")
    assert done.returncode == 1
    assert done.stderr == (
        f"intent-client: unreachable: no connection to http://127.0.0.1:{port}: Connection refused\n"
    )


def test_a_name_that_does_not_exist() -> None:
    done = run("models", "--url", "http://nowhere.invalid", "--time-limit", "0.2")
    assert done.returncode == 1
    assert "no connection to http://nowhere.invalid: " in done.stderr
    assert "Unknown error" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the following arguments are required"),
        (["predict"], "the following arguments are required: text"),
        (["predict", "a", "--role", "cook"], "invalid choice: 'cook'"),
        (["predict", "a", "--top-k", "0"], "0 is no whole number above 0"),
        (["predict", "a", "--threshold", "nan"], "nan is no number from 0 to 1"),
        (["predict", "a", "--time-limit", "0"], "0 is no number from 0.001 to 86400"),
        (["predict", "a", "--key", ""], "the API key is empty"),
        (["predict", "a", "--key", "x", "--key-file", "y"], "not allowed with argument --key"),
        (["predict", b"\xff".decode(errors="surrogateescape")], "a text is not UTF-8"),
        (["models", "--url", "localhost:5000"], "write it like http://localhost:5000"),
    ],
)
def test_wrong_usage_is_status_2(words: list[str], message: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_key_comes_from_a_file_an_option_or_the_environment(played: StandIn, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-file\n")
    words = ["predict", TEXT, "--url", played.url]
    run(*words)
    run(*words, INTENT_API_KEY="from-environment")
    run(*words, "--key", "from-option", INTENT_API_KEY="from-environment")
    run(*words, "--key-file", file, INTENT_API_KEY="from-environment")
    assert [asked.headers.get("Authorization") for asked in played.asked] == [
        None,
        "Bearer from-environment",
        "Bearer from-option",
        "Bearer from-file",
    ]


def test_a_key_is_never_repeated(played: StandIn) -> None:
    played.always = refuse(401, "key_required")
    done = run("predict", TEXT, "--url", played.url, "--key", "s3cret")
    assert done.returncode == 1
    assert "key_required: about key_required" in done.stderr
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize("command", ["", "predict", "batch", "intents", "models"])
def test_help_shows_the_way(command: str) -> None:
    done = run(*command.split(), "--help")
    assert done.returncode == 0
    if command in ("", "batch"):
        assert "examples:\n  intent-client " in done.stdout
    assert "exit status:" in done.stdout or command


def test_help_loads_no_http_library_and_nothing_loads_tensorflow(url: str) -> None:
    program = "import runpy, sys; sys.argv = {argv!r}\ntry: runpy.run_module('intent_client', run_name='__main__')\n"
    program += "except SystemExit as end: assert not end.code\nprint(*(name.split('.')[0] for name in sys.modules))"

    def loaded(*argv: str) -> set[str]:
        code = program.format(argv=["intent_client", *argv])
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
        )
        return set(done.stdout.splitlines()[-1].split())

    assert not loaded("--help") & {"httpx", "anyio", "tqdm", "tensorflow", "grpc"}
    asked = loaded("predict", TEXT, "--url", url)
    assert "httpx" in asked
    assert not asked & {"tensorflow", "aiohttp", "grpc", "numpy"}
