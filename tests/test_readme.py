"""The README's examples, run as they stand (only the ports are those of the test's own service), and its facts."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from tests.servers import ROOT, Service
from training.data import dataset
from training.data.intents import INTENTS

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def with_ports(example: str, running: Service) -> str:
    return example.replace("localhost:5000", f"localhost:{running.http_port}").replace(
        "localhost:8500", f"localhost:{running.grpc_port}"
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_example_answers_as_shown(running: Service) -> None:
    (example,) = (block for block in blocks("sh") if block.startswith("curl"))
    (shown,) = (json.loads(block) for block in blocks("json") if "intent" in block)
    done = subprocess.run(["sh", "-c", with_ports(example, running)], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer.keys() == shown.keys()
    assert answer["result"].keys() == shown["result"].keys()
    intents = [each["intent"] for each in answer["result"]["intents"] + shown["result"]["intents"]]
    assert set(intents) <= set(INTENTS)


def test_grpc_example_prints_an_intent(running: Service) -> None:
    (example,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", with_ports(example, running)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    intent, _, _, version = done.stdout.split()
    assert intent in INTENTS
    assert int(version) >= 1


def test_every_make_target_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)", README))
    assert named
    assert named <= targets


def test_layout_table_names_every_folder() -> None:
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True).stdout.split()
    folders = {name.split("/")[0] for name in tracked if "/" in name and not name.startswith(".")}
    assert folders <= set(re.findall(r"^\| `([a-z_]+)/` \|", README, re.MULTILINE))


def test_sample_of_make_serve_names_what_training_and_export_print() -> None:
    """The size of the bundled sample; the other lines of training and export carry no figure."""
    (sample,) = (block for block in blocks("console") if block.startswith("$ make serve"))
    data = dataset.load(dataset.SAMPLE)
    assert f"{len(data.table)} labelled turns ({data.dropped} without text or intent dropped)\n" in sample
