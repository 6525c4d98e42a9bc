"""API keys: made by a command, kept as hashes in a file, read again when it changes."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.api_keys import keyring
from gateway.api_keys.key import ApiKey
from gateway.api_keys.keyring import Keyring, read_keys
from gateway.errors import SettingsError
from tests.servers import ROOT


def line(name: str, secret: str, rate: str = "") -> str:
    """A line of the file, worked out without the code under test."""
    return f"{name}:{hashlib.sha256(secret.encode()).hexdigest()}{rate}\n"


A, B = line("a", "secret of a"), line("b", "secret of b", ":2.5")


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gateway.api_keys", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_command_makes_a_key_and_its_line(tmp_path: Path) -> None:
    made = _run("mobile-app", "--rate", "10")
    assert made.returncode == 0
    secret = made.stderr.strip()
    assert made.stdout == line("mobile-app", secret, ":10")
    assert len(secret) == 43
    (tmp_path / "keys").write_text(made.stdout)
    assert Keyring(tmp_path / "keys").find(secret) == ApiKey("mobile-app", made.stdout.split(":")[1], 10)


def test_the_command_never_makes_a_key_twice() -> None:
    assert _run("a").stderr != _run("a").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a b",), "the name must be 1 to 64 of A-Z a-z 0-9 . _ -"),
        (("a:b",), "the name must be 1 to 64 of A-Z a-z 0-9 . _ -"),
        (("a", "--rate", "0"), "the rate must be above 0 requests a second"),
        (("a", "--rate", "nan"), "the rate must be above 0 requests a second"),
        (("a", "--rate", "ten"), "invalid float value: 'ten'"),
        ((), "the following arguments are required: NAME"),
    ],
)
def test_the_command_says_what_it_cannot_use(arguments: tuple[str, ...], message: str) -> None:
    ended = _run(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert message in ended.stderr


def test_help_says_how_to_use_it() -> None:
    said = _run("--help").stdout
    assert "GATEWAY_KEYS_FILE" in said
    assert ">> keys.txt" in said


def test_a_file_has_comments_names_and_rates(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# who calls\n\n{A}  # indented\n{B.upper().replace('B:', 'b:', 1)}")
    keys = Keyring(file)
    first, second = keys.find("secret of a"), keys.find("secret of b")
    assert first is not None
    assert (first.name, first.rate) == ("a", None)
    assert second is not None
    assert (second.name, second.rate) == ("b", 2.5)
    for wrong in ("", "secret of c", "secret of a ", "a", A.split(":")[1].strip()):
        assert keys.find(wrong) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no key, so nobody could call; python -m gateway.api_keys NAME >> "),
        ("# only this\n", "has no key, so nobody could call"),
        ("a\n", "line 1: the hash must be 64 hexadecimal digits; python -m gateway.api_keys NAME makes one"),
        (f"{A}b:my-own-password\n", "line 2: the hash must be 64 hexadecimal digits"),
        (line("", "x"), "line 1: the name must be 1 to 64 of A-Z a-z 0-9 . _ -"),
        (line("a b", "x"), "line 1: the name must be 1 to 64 of"),
        (line("a", "x", ":fast"), "line 1: the rate must be a number of requests a second; leave it out for no limit"),
        (line("a", "x", ":"), "line 1: the rate must be a number of requests a second"),
        (line("a", "x", ":-1"), "line 1: the rate must be above 0 requests a second; leave it out for no limit"),
        (line("a", "x", ":inf"), "line 1: the rate must be above 0 requests a second"),
        (A + "\n" + line("a", "other"), "line 3: this name or hash is there already; remove one of the two"),
        (A + line("other", "secret of a"), "line 2: this name or hash is there already"),
    ],
)
def test_a_wrong_file_is_refused_by_line_and_without_its_words(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "keys"
    file.write_text(content)
    with pytest.raises(SettingsError) as caught:
        read_keys(file)
    assert str(caught.value).startswith(f"{file} {message}")
    assert "my-own-password" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file or directory"):
        Keyring(tmp_path / "none")
    with pytest.raises(SettingsError, match="Is a directory"):
        Keyring(tmp_path)
    (tmp_path / "picture").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(SettingsError, match="is no text file in UTF-8"):
        Keyring(tmp_path / "picture")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at the file each time instead of once a second."""
    monkeypatch.setattr(keyring, "CHECK_SECONDS", 0)


@pytest.mark.usefixtures("at_once")
def test_a_changed_file_holds_without_a_restart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    file = tmp_path / "keys"
    file.write_text(A)
    keys = Keyring(file)
    assert keys.find("secret of a")
    file.write_text(B)
    assert keys.find("secret of a") is None
    assert keys.find("secret of b")
    # As an editor does it: another file under the same name.
    (tmp_path / "new").write_text(A)
    (tmp_path / "new").rename(file)
    assert keys.find("secret of a")
    assert [each.getMessage() for each in caplog.records] == [
        "read the changed file of API keys: b",
        "read the changed file of API keys: a",
    ]


@pytest.mark.usefixtures("at_once")
def test_a_broken_change_keeps_the_old_keys_and_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "keys"
    file.write_text(A)
    keys = Keyring(file)
    for content in (A[:20], "", None):
        if content is None:
            file.unlink()
        else:
            file.write_text(content)
        caplog.clear()
        assert keys.find("secret of a")
        assert keys.find("secret of a")
        (said,) = caplog.records
        assert said.levelname == "ERROR"
        assert said.getMessage().startswith("the changed file of API keys is not used, the keys of before stay: ")
    file.write_text(B)
    assert keys.find("secret of a") is None
    assert keys.find("secret of b")


def test_the_file_is_not_looked_at_for_each_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "CHECK_SECONDS", 3600)
    file = tmp_path / "keys"
    file.write_text(A)
    keys = Keyring(file)
    file.write_text(B)
    assert keys.find("secret of a")
