"""The systemd units: what systemd itself says of them, and what they have to agree with."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway import server
from gateway.api import drain
from gateway.settings.settings import Settings
from gateway.settings.sources import read_settings
from tests.servers import ROOT

IMAGE = ROOT / "cloudformation/image"
UNITS = sorted([*(IMAGE / "units").glob("*.service"), *(IMAGE / "units").glob("*.timer")])
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
# As systemd-analyze counts it, in tenths: 0 is shut in, 100 is open. intent-telemetry runs another's program as root.
EXPOSURE = {unit.name: 85 if unit.name == "intent-telemetry.service" else 15 for unit in SERVICES}

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is missing")


def read(path: Path) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(path)
    return unit


def service(name: str) -> configparser.SectionProxy:
    return read(IMAGE / f"units/{name}.service")["Service"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with the units in their place, and an empty program for each that they start."""
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    # What is ordered against, and all that systemd takes for granted.
    for target in ("network", "network-online", "multi-user", "timers", "basic", "sysinit", "shutdown"):
        (folder / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
    for slice_ in ("system", "-"):
        (folder / f"{slice_}.slice").write_text("[Unit]\nDescription=slice\n")
    for unit in UNITS:
        shutil.copy(unit, folder)
        if unit.suffix == ".service":
            program = tmp_path / read(unit)["Service"]["ExecStart"].split()[0].lstrip("/")
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text("#!/bin/sh\n")
            program.chmod(0o755)
    return tmp_path


@needs_systemd
def test_systemd_finds_nothing_wrong(root: Path) -> None:
    command = ["systemd-analyze", "verify", f"--root={root}", "--man=no", *(unit.name for unit in UNITS)]
    done = subprocess.run(command, text=True, capture_output=True)
    # It also tells of what it takes for granted of a whole system.
    said = [line for line in done.stderr.splitlines() if "intent-" in line]
    assert (done.returncode, said) == (0, []), done.stderr


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_exposure_is_low(unit: Path) -> None:
    threshold = f"--threshold={EXPOSURE[unit.name]}"
    command = ["systemd-analyze", "security", "--offline=true", threshold, "--no-pager", str(unit)]
    done = subprocess.run(command, text=True, capture_output=True, env={**os.environ, "SYSTEMD_COLORS": "0"})
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


@pytest.mark.parametrize("name", ["intent-gateway", "intent-model-server", "intent-configure", "intent-signal"])
def test_what_touches_the_network_is_shut_in(name: str) -> None:
    unit = service(name)
    assert unit["User"] not in ("", "root")
    assert unit["ProtectSystem"] == "strict"
    assert unit["NoNewPrivileges"] == "yes"
    assert unit["CapabilityBoundingSet"] == ""
    assert "SystemCallFilter" in unit


@pytest.mark.parametrize("name", ["intent-gateway", "intent-model-server"])
def test_servers_cannot_borrow_the_role_of_the_instance(name: str) -> None:
    assert "169.254.169.254/32" in service(name)["IPAddressDeny"]


def test_the_gateway_has_time_to_drain() -> None:
    settings = _settings()
    longest = settings.load_balancer_window_seconds + settings.drain_seconds
    longest += server.CUT_SECONDS + drain.QUIET_SECONDS
    assert int(service("intent-gateway")["TimeoutStopSec"]) > longest


def test_the_gateway_stops_before_the_model_server_and_does_not_fall_with_it() -> None:
    unit = read(IMAGE / "units/intent-gateway.service")["Unit"]
    assert "intent-model-server.service" in unit["After"].split()
    assert unit["Wants"] == "intent-model-server.service"
    assert unit["Requires"] == "intent-configure.service"


def test_the_gateway_takes_its_settings() -> None:
    assert _settings().max_body_bytes < Settings().max_body_bytes


def test_the_memory_limits_leave_a_quarter_of_1_gib_to_the_system() -> None:
    servers = (IMAGE / "units" / f"{name}.service" for name in ("intent-gateway", "intent-model-server"))
    limits = [re.findall(r"^MemoryMax=(\d+)M$", unit.read_text(), re.MULTILINE) for unit in servers]
    assert [len(found) for found in limits] == [1, 1]
    assert sum(int(found) for (found,) in limits) <= 0.75 * 1024
    for name in ("intent-gateway", "intent-model-server"):
        assert service(name)["MemorySwapMax"] == "0"


def test_every_unit_is_installed_and_its_users_exist() -> None:
    install = (IMAGE / "install.sh").read_text()
    listed = re.search(r"readonly units=\((.*?)\)", install, re.DOTALL)[1].split()
    assert sorted(listed) == sorted(unit.name for unit in UNITS)
    enabled = re.search(r"readonly enabled=\((.*?)\)", install, re.DOTALL)[1].split()
    assert sorted(enabled) == sorted(unit.name for unit in UNITS if "Install" in read(unit))
    users = re.findall(r"^u (\S+)", (IMAGE / "units/sysusers.conf").read_text(), re.MULTILINE)
    used = {read(unit)["Service"].get("User", "root") for unit in SERVICES}
    assert used == {*users, "root"}


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is missing; `make templates` has its own")
def test_scripts_are_clean() -> None:
    scripts = [*IMAGE.glob("*.sh"), IMAGE / "intent-signal"]
    command = ["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", *map(str, scripts)]
    done = subprocess.run(command, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout


def _settings() -> Settings:
    lines = (IMAGE / "gateway.env").read_text().splitlines()
    return read_settings(dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))).settings
