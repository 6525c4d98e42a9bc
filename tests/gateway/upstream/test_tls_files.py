"""PEM files that cannot be used stop the start, and are named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings.settings import Settings
from gateway.upstream.tls_files import read_tls_files
from tests.certificates import OPENSSL, make_certificates, needs_openssl
from tests.servers import ROOT

pytestmark = needs_openssl

KINDS = ("ca", "certificate", "key")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Good ones, by kind, and a key of another certificate."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    names = {"ca": "ca.pem", "certificate": "client.pem", "key": "client.key", "other": "server.key"}
    return {kind: folder / name for kind, name in names.items()}


def settings(files: dict[str, Path], **others: Path) -> Settings:
    """Mutual TLS by the good files, but for the others."""
    return Settings(**{f"model_server_{kind}_file": str(others.get(kind, files[kind])) for kind in KINDS})


def test_good_files_are_read(files: dict[str, Path]) -> None:
    read = read_tls_files(settings(files))
    assert read is not None
    assert read.authorities == files["ca"].read_bytes()
    assert read.pair == (files["key"].read_bytes(), files["certificate"].read_bytes())


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_file_is_named(files: dict[str, Path], tmp_path: Path, kind: str) -> None:
    with pytest.raises(SettingsError, match=f"GATEWAY_MODEL_SERVER_{kind.upper()}_FILE=.*/absent cannot be read"):
        read_tls_files(settings(files, **{kind: tmp_path / "absent"}))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_pem_is_named(files: dict[str, Path], tmp_path: Path, kind: str) -> None:
    (tmp_path / "nonsense").write_text("nonsense")
    with pytest.raises(SettingsError, match=r"/nonsense .*; name a readable PEM file that fits"):
        read_tls_files(settings(files, **{kind: tmp_path / "nonsense"}))


def test_a_key_of_another_certificate_is_named(files: dict[str, Path]) -> None:
    with pytest.raises(SettingsError, match=r"KEY_FILE=.*/server\.key is not the key of .*/client\.pem"):
        read_tls_files(settings(files, key=files["other"]))


def test_a_key_with_a_password_is_refused_without_a_question(files: dict[str, Path], tmp_path: Path) -> None:
    encrypted = tmp_path / "encrypted.key"
    words = ["ec", "-aes256", "-passout", "pass:secret", "-in", str(files["key"]), "-out", str(encrypted)]
    subprocess.run([str(OPENSSL), *words], check=True, capture_output=True)
    with pytest.raises(SettingsError, match=r"encrypted\.key is no key without password"):
        read_tls_files(settings(files, key=encrypted))


def test_a_wrong_file_stops_the_start_with_one_line(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gateway", "--workers", "2"],
        cwd=ROOT,
        env=os.environ | {"GATEWAY_MODEL_SERVER_CA_FILE": str(tmp_path / "absent")},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        f"gateway: GATEWAY_MODEL_SERVER_CA_FILE={tmp_path / 'absent'} cannot be read: No such file or directory; "
        "name a readable PEM file that fits"
    ]
