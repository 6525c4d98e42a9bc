"""The gateway's settings: defaults, sources and their order, what stops the start, and what is printed."""

import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings.settings import GROUPS, Settings, variable
from gateway.settings.sources import describe, read_settings
from tests.servers import ROOT


def _file(folder: Path, content: str) -> Path:
    path = folder / "gateway.toml"
    path.write_text(content)
    return path


def test_defaults_are_the_contract() -> None:
    settings = read_settings({"PATH": "/bin"}).settings
    assert (settings.port, settings.model_server, settings.model_name) == (5000, "127.0.0.1:8500", "intent")
    assert settings.keep_alive_seconds > settings.load_balancer_idle_seconds == 60


def test_command_line_goes_before_environment_before_file_before_default(tmp_path: Path) -> None:
    file = _file(tmp_path, 'port = 1\nworkers = 1\ntop_k = 1\nmodel_name = "other"')
    found = read_settings({"GATEWAY_PORT": "2", "GATEWAY_WORKERS": "2"}, file, {"workers": 3})
    settings = found.settings
    assert (settings.workers, settings.port, settings.top_k, settings.max_texts) == (3, 2, 1, Settings().max_texts)
    assert found.origins == {
        "workers": "--workers",
        "port": "GATEWAY_PORT",
        "top_k": str(file),
        "model_name": str(file),
    }


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("False", False), ("no", False)])
def test_booleans(text: str, value: bool) -> None:
    assert read_settings({"GATEWAY_LOG_TEXTS": text}).settings.log_texts is value


def test_a_whole_number_is_a_number_in_the_file(tmp_path: Path) -> None:
    assert repr(read_settings({}, _file(tmp_path, "deadline_seconds = 3")).settings.deadline_seconds) == "3.0"


def test_an_empty_variable_is_the_default_where_that_is_empty() -> None:
    assert read_settings({"GATEWAY_MODEL_LABEL": ""}).settings.model_label == ""


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PROT", "1", "GATEWAY_PROT is no setting of the gateway; did you mean GATEWAY_PORT?"),
        ("ZZZ", "1", "GATEWAY_ZZZ is no setting of the gateway; python -m gateway --help lists them"),
        ("PORT", "http", "GATEWAY_PORT=http is not a whole number; the default is 5000"),
        ("PORT", "80.5", "GATEWAY_PORT=80.5 is not a whole number; the default is 5000"),
        ("PORT", "65536", "GATEWAY_PORT=65536 is out of range; use 0 to 65535"),
        ("PORT", "-1", "GATEWAY_PORT=-1 is out of range; use 0 to 65535"),
        ("PORT", "", "GATEWAY_PORT= is not a whole number; the default is 5000"),
        ("DEADLINE_SECONDS", "0", "GATEWAY_DEADLINE_SECONDS=0.0 is out of range; use at least 0.001"),
        ("DEADLINE_SECONDS", "nan", "GATEWAY_DEADLINE_SECONDS=nan is out of range; use at least 0.001"),
        ("DRAIN_SECONDS", "inf", "GATEWAY_DRAIN_SECONDS=inf is out of range; use at least 0"),
        ("DEADLINE_SECONDS", "2s", "GATEWAY_DEADLINE_SECONDS=2s is not a number; the default is 2.0"),
        ("LOG_TEXTS", "maybe", "GATEWAY_LOG_TEXTS=maybe is not true or false; the default is false"),
        ("LOG_LEVEL", "loud", "GATEWAY_LOG_LEVEL=loud is none of debug, info, warning, error"),
        ("LOG_FORMAT", "xml", "GATEWAY_LOG_FORMAT=xml is none of text, json"),
        ("MAX_QUEUE", "-1", "GATEWAY_MAX_QUEUE=-1 is out of range; use at least 0"),
        ("MODEL_NAME", " ", "GATEWAY_MODEL_NAME is empty; unset it for the default 'intent'"),
        ("MODEL_NAME", "a\nb", "GATEWAY_MODEL_NAME has a character that cannot be printed; remove it"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({f"GATEWAY_{name}": value})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("prot = 1", "FILE: prot is no setting of the gateway; did you mean port?"),
        ("GATEWAY_PORT = 1", "FILE: GATEWAY_PORT is no setting of the gateway; did you mean port?"),
        ("[listen]\nport = 1", "FILE: listen is no setting of the gateway; python -m gateway --help lists them"),
        ('port = "5000"', "FILE: port is not a whole number; the default is 5000"),
        ("port = true", "FILE: port is not a whole number; the default is 5000"),
        ("model_name = 1", 'FILE: model_name is not text; the default is "intent"'),
        ("log_texts = 1", "FILE: log_texts is not true or false; the default is false"),
        ("deadline_seconds = '2'", "FILE: deadline_seconds is not a number; the default is 2.0"),
        ("port = 70000", "FILE: port=70000 is out of range; use 0 to 65535"),
        ("port 1", "FILE is not TOML: Expected '=' after a key in a key/value pair (at line 1, column 6)"),
    ],
)
def test_a_wrong_line_of_the_file_is_named_as_it_stands_there(content: str, message: str, tmp_path: Path) -> None:
    file = _file(tmp_path, content)
    with pytest.raises(SettingsError) as caught:
        read_settings({}, file)
    assert str(caught.value) == message.replace("FILE", str(file))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"keep_alive_seconds": 60},
            "KEEP_ALIVE_SECONDS=60.0 is not above LOAD_BALANCER_IDLE_SECONDS=60.0, so the load balancer would send "
            "into connections that the gateway has just closed, and answer 502; raise the first",
        ),
        (
            {"deadline_seconds": 11},
            "DEADLINE_SECONDS=11.0 is above MAX_DEADLINE_SECONDS=10.0, so a request that asks for nothing would get "
            "more than one may ask for; lower the first or raise the second",
        ),
        (
            {"drain_seconds": 9},
            "MAX_DEADLINE_SECONDS=10.0 is above DRAIN_SECONDS=9.0, so a stop would cut requests that are still in "
            "time; lower the first or raise the second",
        ),
        (
            {"max_body_bytes": 4000},
            "MAX_TEXT_CHARACTERS=4096 is above MAX_BODY_BYTES=4000, so no body could hold the longest text; lower the "
            "first or raise the second",
        ),
        (
            {"model_server_ca_file": "a", "model_server_certificate_file": "b"},
            "MODEL_SERVER_CERTIFICATE_FILE is set without MODEL_SERVER_KEY_FILE; set both for mutual TLS, or none",
        ),
        (
            {"model_server_ca_file": "a", "model_server_key_file": "b"},
            "MODEL_SERVER_KEY_FILE is set without MODEL_SERVER_CERTIFICATE_FILE; set both for mutual TLS, or none",
        ),
        (
            {"model_server_key_file": "a", "model_server_certificate_file": "b"},
            "MODEL_SERVER_CERTIFICATE_FILE is set without MODEL_SERVER_CA_FILE, so there would be no TLS to use it "
            "for; set both, or none",
        ),
    ],
)
def test_contradictions_name_both_and_how_out(values: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({variable(name): str(value) for name, value in values.items()})
    assert str(caught.value).replace("GATEWAY_", "") == message


def test_a_contradiction_between_sources_names_each_as_its_source_does(tmp_path: Path) -> None:
    file = _file(tmp_path, "drain_seconds = 5")
    with pytest.raises(SettingsError) as caught:
        read_settings({"GATEWAY_MAX_DEADLINE_SECONDS": "6"}, file)
    assert str(caught.value).startswith(f"GATEWAY_MAX_DEADLINE_SECONDS=6.0 is above {file}: drain_seconds=5.0, so ")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gateway\.toml: No such file or directory; --config wants"):
        read_settings({}, tmp_path / "gateway.toml")


def test_what_is_printed_reads_back_as_the_same_settings(tmp_path: Path) -> None:
    environment = {
        "GATEWAY_PORT": "0",
        "GATEWAY_MODEL_NAME": 'quoted "name" \\ ü 😀',
        "GATEWAY_LOG_TEXTS": "on",
        "GATEWAY_RETRY_BUDGET": "1e-05",
    }
    found = read_settings(environment)
    text = found.as_toml()
    assert read_settings({}, _file(tmp_path, text)).settings == found.settings
    assert tomllib.loads(text) == asdict(found.settings)


def test_what_is_printed_tells_meaning_and_origin() -> None:
    lines = read_settings({"GATEWAY_PORT": "80"}).as_toml().splitlines()
    place = lines.index("port = 80")
    assert lines[place - 2] == "# TCP port to listen on; 0 picks a free one and logs it"
    assert lines[place - 1] == "# from GATEWAY_PORT; the default is 5000"
    assert lines[lines.index("workers = 1") - 1] == "# the default"


def test_help_tells_every_setting_with_default_and_meaning() -> None:
    lines = describe().splitlines()
    for each in fields(Settings):
        heading = next(line for line in lines if line.startswith(f"  {variable(each.name)}="))
        meaning = " ".join(line.strip() for line in lines[lines.index(heading) + 1 :])
        assert meaning.startswith(each.metadata["text"])
    assert "  GATEWAY_LOG_TEXTS=false" in lines


def test_every_heading_stands_before_a_setting() -> None:
    assert set(GROUPS) <= {each.name for each in fields(Settings)}


def test_the_document_lists_every_setting_as_the_code_has_it() -> None:
    rows = [
        f"| `{variable(each.name)}` | {_default(each.default)} | {each.metadata['text']} |" for each in fields(Settings)
    ]
    documented = [
        line
        for line in (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `GATEWAY_")
    ]
    # The lines of the second list are what the document must hold.
    assert documented == rows


def _default(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else ""
