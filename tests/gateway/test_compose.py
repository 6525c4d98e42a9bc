"""compose.yaml: what it starts is what `python -m serving_config start` starts; each health check, and its limits."""

import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.server import CUT_SECONDS
from gateway.settings.sources import read_settings
from model_server.config.protos import ModelServerConfig
from serving_config import command
from serving_config.files import ConfigFiles, read
from tests.servers import ROOT, ModelServer, free_port

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
MODEL_SERVER: dict[str, Any] = COMPOSE["services"]["model-server"]
GATEWAY: dict[str, Any] = COMPOSE["services"]["gateway"]
PORTS = command.Ports(gateway=5000, grpc=8500, rest=8501)
CONFIG = ConfigFiles(Path("/serving_config"))


def seconds(text: str) -> int:
    """Of a duration in compose.yaml; all are in whole seconds."""
    assert text.endswith("s")
    return int(text.removesuffix("s"))


def test_the_model_server_has_the_flags_of_the_start_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENSORFLOW_MODEL_SERVER", raising=False)
    flags = [word for word in command.model_server(CONFIG, CONFIG.models, PORTS) if word.startswith("--")]
    # In a container the stock server would count the machine's cores, and batches wait for those they may not use.
    assert MODEL_SERVER["command"] == [*flags, "--tensorflow_inter_op_parallelism=${INTENT_CORES:-2}"]
    assert MODEL_SERVER["cpus"] == "${INTENT_CORES:-2}"


def test_the_gateway_has_the_variables_of_the_start_command() -> None:
    expected = command.gateway_environment("0.0.0.0", PORTS, "intent", {})
    assert GATEWAY["environment"] == expected | {"GATEWAY_MODEL_SERVER": "model-server:8500"}
    read_settings(GATEWAY["environment"])


def test_the_image_is_the_version_whose_messages_are_used() -> None:
    assert MODEL_SERVER["image"] == f"tensorflow/serving:{version('tensorflow-serving-api')}"


def test_every_configured_path_is_mounted_and_read_only() -> None:
    mounts = {each["target"]: each for each in MODEL_SERVER["volumes"]}
    assert all(each["read_only"] and not each["bind"]["create_host_path"] for each in mounts.values())
    assert mounts["/serving_config"]["source"] == "./serving_config"
    assert all((ROOT / "serving_config" / path.name).is_file() for path in (CONFIG.models, CONFIG.batching))
    models = read(ROOT / "serving_config" / "models.config", ModelServerConfig()).model_config_list.config
    assert {Path(model.base_path).parent for model in models} == {Path("/models")} & {*map(Path, mounts)}
    assert mounts["/models"]["source"] == "./models"


def test_a_stop_waits_for_the_gateway_and_then_ends_the_model_server() -> None:
    assert GATEWAY["depends_on"] == {"model-server": {"condition": "service_healthy"}}
    # Also for an operator who goes back to the gateway's own window.
    defaults = read_settings({}).settings
    longest = defaults.load_balancer_window_seconds + defaults.drain_seconds + CUT_SECONDS
    assert seconds(GATEWAY["stop_grace_period"]) > longest
    # The stock binary as process 1 of the container would not notice the signal.
    assert MODEL_SERVER["init"] is True
    assert MODEL_SERVER["entrypoint"] == ["tensorflow_model_server"]


@pytest.mark.parametrize("service", [MODEL_SERVER, GATEWAY], ids=["model-server", "gateway"])
def test_both_run_with_little_power_and_within_limits(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert {"cpus", "mem_limit", "pids_limit"} <= service.keys()
    assert "max-size" in service["logging"]["options"]
    assert "privileged" not in service


def test_only_the_gateway_can_be_opened_to_other_machines() -> None:
    assert GATEWAY["ports"] == ["${INTENT_ADDRESS:-127.0.0.1}:5000:5000"]
    assert MODEL_SERVER["ports"] == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]
    assert int(MODEL_SERVER["user"].partition(":")[0]) > 0


def health(port: int, model: str = "intent") -> int:
    """Exit status of the model server's health check, run as it stands but for port and model."""
    *shell, script = MODEL_SERVER["healthcheck"]["test"][1:]
    assert "127.0.0.1/8501" in script
    script = script.replace("8501", str(port)).replace("/models/intent", f"/models/{model}")
    return subprocess.run([*shell, script], check=False, stderr=subprocess.DEVNULL).returncode


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_model_server_is_healthy_when_its_model_answers(server: ModelServer) -> None:
    assert health(server.rest_port) == 0
    assert health(server.rest_port, model="nobody") != 0
    assert health(free_port()) != 0


def test_docker_compose_accepts_it() -> None:
    found = shutil.which("docker")
    if not found or subprocess.run([found, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker with its compose plugin is not installed")
    done = subprocess.run(
        [found, "compose", "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
