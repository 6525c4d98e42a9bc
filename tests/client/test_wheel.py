"""The client as what is installed: a wheel of its own."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.servers import ROOT


def test_the_wheel_holds_the_module_and_the_command_and_no_more(tmp_path: Path) -> None:
    # A build leaves files beside the sources.
    source = shutil.copytree(ROOT / "client", tmp_path / "client", ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", tmp_path, source]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        files = {name for name in wheel.namelist() if ".dist-info/" not in name}
        told = {Path(name).name: wheel.read(name).decode() for name in wheel.namelist() if ".dist-info/" in name}
    modules = {f"intent_client/{each.name}" for each in (ROOT / "client/intent_client").glob("*.py")}
    assert files == modules | {"intent_client/py.typed"}
    assert told["entry_points.txt"].split("\n")[:2] == [
        "[console_scripts]",
        "intent-client = intent_client.__main__:main",
    ]
    assert set(re.findall(r"^Requires-Dist: (\w+)", told["METADATA"], re.MULTILINE)) == {
        "anyio",
        "httpx",
        "msgspec",
        "tqdm",
    }
    assert "LICENSE" in told
    # The command starts from the wheel alone.
    shown = subprocess.run(
        [sys.executable, "-m", "intent_client", "--help"],
        env={"PYTHONPATH": str(path)},
        capture_output=True,
        check=True,
    )
    assert shown.stdout.startswith(b"usage: intent-client")


def test_the_repository_itself_is_not_packed(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    options = ["--no-deps", "--no-index", "--disable-pip-version-check"]
    done = subprocess.run([sys.executable, "-m", "pip", "wheel", *options, tmp_path], capture_output=True, text=True)
    assert done.returncode != 0
    assert "this_repository_is_run_from_its_checkout" in done.stderr
