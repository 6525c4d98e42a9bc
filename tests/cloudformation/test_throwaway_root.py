"""install.sh and test.sh run for real, and systemd starts the real units from what they have made.

Debian takes Ubuntu's place, a package that runs the embedded model server takes the stock one's, and the CloudWatch
agent is left out; the last two at the one seam, sources.sh. Slow, and it needs root: `make image-test` runs it.
"""

import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudformation.operate.release import collect
from tests.cloudformation import throwaway_root
from tests.cloudformation.mirror import Mirror
from tests.cloudformation.throwaway_root import Machine, ThrowawayRoot
from tests.gateway.tiny_model import TinyModel
from tests.servers import ROOT

# INTENT_IMAGE_TEST chooses another: "trixie 3.13" is as far above Ubuntu 24.04 as bookworm is below.
CHOSEN = os.environ.get("INTENT_IMAGE_TEST", "")
SUITE, PYTHON = (CHOSEN if " " in CHOSEN else "bookworm 3.11").split()
VERSION = "2.20.0"
IMAGE = Path("cloudformation/image")
PACKAGE = f"tensorflow-model-server_{VERSION}_all.deb"

reason = throwaway_root.why_not() if CHOSEN else "`make image-test` runs it"
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    """The model server's apt source, with the stand-in as its package."""
    with tempfile.TemporaryDirectory(prefix="m") as folder:
        made = Mirror(Path(folder))
        made.folder.chmod(0o755)
        yield made
        made.close()


@pytest.fixture(scope="module")
def root(mirror: Mirror) -> Iterator[ThrowawayRoot]:
    """The root after install.sh."""
    # Not pytest's own folder: it would keep the last three roots.
    with tempfile.TemporaryDirectory(prefix="image") as name:
        folder = Path(name)
        release = _release(folder)
        shown = throwaway_root.stand_in_package(folder / "package", VERSION)
        locks = (ROOT / "gateway/requirements.txt", ROOT / IMAGE / "requirements.txt")
        throwaway_root.wheels(folder / "wheels", PYTHON, *locks)
        shown |= {release: "/release", folder / "wheels": "/wheels", mirror.folder: "/mirror"}
        made = ThrowawayRoot.make(folder / "root", SUITE, shown)
        environment = {
            "MODEL_SERVER_VERSION": VERSION,
            "INTENT_SOURCES": "/stand-in/files/sources.sh",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": "/wheels",
        }
        assert "install: done" in made.run_unbooted(f"/release/{IMAGE}/install.sh", environment=environment)
        yield made


@pytest.fixture(scope="module")
def machine(root: ThrowawayRoot) -> Iterator[Machine]:
    """The root, booted."""
    with root.booted() as running:
        yield running


def _release(folder: Path) -> Path:
    """An unpacked release of this checkout, with a tiny model, and questions that it answers by arithmetic."""
    tiny = TinyModel(tuple(f"intent_{number}" for number in range(11)))
    (folder / "models/intent").mkdir(parents=True)
    tiny.publish(folder / "models/intent", 7)
    archive = collect(folder / "models", None, "").pack(folder)
    with tarfile.open(archive.path) as packed:
        packed.extractall(folder / "release", filter="data")
    texts = ["one", "three", "fifteen"]
    questions = [{"text": text, "intents": [tiny.intent(text)]} for text in texts]
    (folder / "release" / IMAGE / "golden.json").write_text(json.dumps({"least": len(texts), "questions": questions}))
    return folder / "release"


@pytest.mark.parametrize(
    ("signed_by", "trusted", "is_taken"), [("maker", "maker", True), ("other", "maker", False), ("late", "late", False)]
)
def test_the_model_server_comes_from_a_signed_source_only(
    root: ThrowawayRoot, mirror: Mirror, signed_by: str, trusted: str, is_taken: bool
) -> None:
    if signed_by == "late" and SUITE != "bookworm":
        pytest.skip("apt 3 asks whether the key was valid when it signed; Ubuntu 24.04 has apt 2, which asks for today")
    # Made in the past, and expired since.
    expires, past = ("1d", ("--faked-system-time=20200101T000000!",)) if signed_by == "late" else ("never", ())
    keys = {name: mirror.key(name, expires, *past) for name in {signed_by, trusted}}
    package = next((root.folder.parent / "package").glob("*.deb"))
    mirror.apt_source(package, VERSION, keys[signed_by], *past)
    mirror.trust(keys[trusted])
    script = (
        'set -euo pipefail; fail() { echo "$*" >&2; exit 1; }; apt_get() { apt-get --quiet=2 "$@"; }; '
        f"source /mirror/sources.sh; got=$(mktemp -d); fetch_model_server $got {VERSION}; "
        "ls $got /etc/apt/sources.list.d"
    )
    environment = {"PATH": "/mirror/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    if is_taken:
        listed = root.run_unbooted("bash", "-c", script, environment=environment)
        assert PACKAGE in listed
        # The source itself is not left on the image.
        assert "tensorflow" not in listed.replace(PACKAGE, "")
    else:
        with pytest.raises(RuntimeError, match=r"fingerprint|ModelServerSha256"):
            root.run_unbooted("bash", "-c", script, environment=environment)


def test_an_install_without_a_version_does_nothing(root: ThrowawayRoot) -> None:
    with pytest.raises(RuntimeError, match="set MODEL_SERVER_VERSION"):
        root.run_unbooted(f"/release/{IMAGE}/install.sh", environment={})


def test_the_image_passes_its_own_test(machine: Machine) -> None:
    said = machine.run("env", "READY_SECONDS=120", f"/opt/intent/release/{IMAGE}/test.sh").stdout
    assert "version 7 answers over gRPC" in said
    assert "3 of 3 golden questions" in said
    assert said.endswith("test: passed\n")


def test_it_says_why_it_does_not_pass(machine: Machine) -> None:
    machine.run("mv", "/models/intent/7", "/models/intent/away")
    machine.run("systemctl", "restart", "intent-model-server")
    done = machine.run("env", "READY_SECONDS=5", f"/opt/intent/release/{IMAGE}/test.sh", check=False)
    machine.run("mv", "/models/intent/away", "/models/intent/7")
    assert done.returncode == 1
    assert "test: FAILED: the service did not become ready" in done.stderr
    assert "intent-signal" in done.stderr


@pytest.fixture
def serving(machine: Machine) -> Machine:
    """After its first boot, as user data leaves it."""
    settings = "printf '%s\\n' DEPLOYMENT=test READY_SECONDS=120 >/etc/intent/instance.env"
    machine.run("sh", "-c", settings)
    machine.run("systemctl", "start", "intent-signal.service")
    return machine


@pytest.mark.parametrize("name", ["intent-gateway", "intent-model-server"])
def test_a_server_is_shut_in(serving: Machine, name: str) -> None:
    pid = serving.property(name, "MainPID")
    status = dict(line.split(":\t", 1) for line in serving.run("cat", f"/proc/{pid}/status").stdout.splitlines())
    assert serving.run("stat", "--format=%U", f"/proc/{pid}").stdout.strip() == name
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    mounts = [line.split() for line in serving.run("cat", f"/proc/{pid}/mountinfo").stdout.splitlines()]
    assert [each[5].split(",")[0] for each in mounts if each[4] == "/"] == ["ro"]
    # What belongs to nobody who serves cannot be changed by whoever takes a server over.
    writable = [
        "find",
        "/opt/intent",
        "/models",
        "/etc/intent",
        "-not",
        "-type",
        "l",
        "(",
        "-not",
        "-user",
        "root",
        "-o",
        "-perm",
        "/022",
        ")",
    ]
    assert serving.run(*writable).stdout == ""


def test_the_gateway_survives_its_model_server(serving: Machine) -> None:
    gateway = serving.property("intent-gateway", "MainPID")
    serving.run("systemctl", "kill", "--signal=KILL", "intent-model-server")
    # It waits for readiness, so it returns when both are whole again.
    serving.run("systemctl", "start", "intent-signal.service")
    assert serving.property("intent-gateway", "MainPID") == gateway


def test_no_updates_and_no_logins(serving: Machine) -> None:
    for unit in (
        "apt-daily.timer",
        "apt-daily-upgrade.timer",
        "unattended-upgrades.service",
        "ssh.service",
        "ssh.socket",
    ):
        assert serving.property(unit, "LoadState") == "masked"


def test_a_halt_ends_the_gateway_first(root: ThrowawayRoot, serving: Machine) -> None:
    """The last one: afterwards the machine is off."""
    serving.halt()
    gateway, server = ((root.folder / f"var/log/intent/{name}.log").read_text() for name in ("gateway", "model-server"))
    stopped = json.loads(gateway.splitlines()[-1])
    assert stopped["message"] == "stopped"
    # The embedded server's last line, with the day before it, tells when it was asked to end.
    last = server.splitlines()[-1].split()
    assert "Draining" in last
    assert stopped["time"].rstrip("Z") <= "T".join(last[:2]).replace(",", ".")
