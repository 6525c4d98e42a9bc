"""A release's archive: everything that an image needs, nothing else, and the same bytes for the same files."""

import hashlib
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from cloudformation.errors import FleetError
from cloudformation.operate.release import ROOT, collect
from tests.cloudformation.played.operating import put_version

PARTS = ("gateway", "serving_config", "cloudformation/image")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what goes into a release, to change."""
    root = tmp_path / "checkout"
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part)
    return root


def names(archive: Path) -> list[str]:
    with tarfile.open(archive) as packed:
        return packed.getnames()


def test_it_holds_what_an_instance_needs(models: Path, tmp_path: Path) -> None:
    release = collect(models, 1, "")
    archive = release.pack(tmp_path)
    found = set(names(archive.path))
    assert {
        "RELEASE.json",
        "gateway/__main__.py",
        "gateway/upstream/messages.binpb",
        "gateway/requirements.txt",
    } <= found
    assert {"serving_config/models.config", "serving_config/command.py", "models/intent/1/saved_model.pb"} <= found
    assert any(name.startswith("cloudformation/image/units/") for name in found)
    assert {name.split("/")[0] for name in found} == {
        "RELEASE.json",
        "gateway",
        "serving_config",
        "models",
        "cloudformation",
    }
    assert hashlib.sha256(archive.path.read_bytes()).hexdigest() == archive.sha256


def test_it_holds_one_model_version_the_newest_unless_told(models: Path, tmp_path: Path) -> None:
    put_version(models, 10)
    assert collect(models, None, "").name.startswith("10-")
    release = collect(models, 2, "")
    versions = {name.split("/")[2] for name in names(release.pack(tmp_path).path) if name.startswith("models/")}
    assert versions == {"2"}


def test_the_manifest_names_release_model_and_checksums(models: Path, tmp_path: Path) -> None:
    release = collect(models, 1, "")
    with tarfile.open(release.pack(tmp_path).path) as packed:
        manifest = json.load(packed.extractfile("RELEASE.json"))  # type: ignore[arg-type]
        assert manifest["name"] == release.name
        assert manifest["model_version"] == 1
        assert set(manifest["sha256"]) == {each.name for each in packed} - {"RELEASE.json"}
        for name, checksum in manifest["sha256"].items():
            content = packed.extractfile(name)
            assert content is not None
            assert hashlib.sha256(content.read()).hexdigest() == checksum


def test_no_caches_nothing_hidden(checkout: Path, models: Path, tmp_path: Path) -> None:
    (checkout / "gateway/__pycache__").mkdir(exist_ok=True)
    (checkout / "gateway/__pycache__/app.cpython-311.pyc").write_bytes(b"code")
    (checkout / "gateway/.env").write_text("KEY=secret")
    (models / "intent/1/.DS_Store").write_bytes(b"")
    found = names(collect(models, 1, "", checkout).pack(tmp_path).path)
    assert not [name for name in found if "__pycache__" in name or "/." in name or name.endswith(".pyc")]


@pytest.mark.parametrize(
    "name", ["gateway/keys.txt", "gateway/tls.pem", "gateway/api/token.json", "serving_config/x.key"]
)
def test_a_file_that_may_be_a_secret_stops_the_packing(checkout: Path, models: Path, name: str) -> None:
    (checkout / name).write_text("secret")
    with pytest.raises(FleetError, match="no kind of file that a release has") as refused:
        collect(models, 1, "", checkout)
    assert name in str(refused.value)


def test_a_link_stops_the_packing(checkout: Path, models: Path) -> None:
    (checkout / "gateway/more.py").symlink_to("/etc/passwd")
    with pytest.raises(FleetError, match="no plain file"):
        collect(models, 1, "", checkout)


def test_the_same_files_give_the_same_bytes(checkout: Path, models: Path, tmp_path: Path) -> None:
    first = collect(models, 1, "", checkout).pack(tmp_path)
    again = tmp_path / "again"
    again.mkdir()
    # Another checkout, at another time, by somebody with another umask.
    moved = tmp_path / "moved"
    for part in PARTS:
        shutil.copytree(checkout / part, moved / part)
    for path in moved.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600 | (path.stat().st_mode & 0o100))
    second = collect(models, 1, "", moved).pack(again)
    assert second.path.name == first.path.name
    assert second.path.read_bytes() == first.path.read_bytes()


@pytest.mark.parametrize("change", ["content", "mode", "model", "label"])
def test_whatever_changes_changes_the_name(checkout: Path, models: Path, change: str) -> None:
    before = collect(models, 1, "", checkout)
    script = checkout / "gateway/app.py"
    if change == "content":
        script.write_text(script.read_text() + "\n")
    elif change == "mode":
        script.chmod(0o755)
    elif change == "model":
        (models / "intent/1/saved_model.pb").write_bytes(b"other")
    after = collect(models, 1, "20261201" if change == "label" else "", checkout)
    assert after.name != before.name
    assert after.key != before.key
    assert after.name.endswith("-20261201") is (change == "label")


def test_what_is_missing_is_named(checkout: Path, models: Path, tmp_path: Path) -> None:
    with pytest.raises(FleetError, match=r"holds no model version; make one with `make train`"):
        collect(tmp_path / "none", None, "")
    with pytest.raises(FleetError, match=r"holds no version 7, only 1, 2"):
        collect(models, 7, "")
    with pytest.raises(FleetError, match="label"):
        collect(models, 1, "Not so")
    shutil.rmtree(checkout / "cloudformation/image")
    with pytest.raises(FleetError, match="run the command in a whole checkout"):
        collect(models, 1, "", checkout)
