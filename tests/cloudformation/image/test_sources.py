"""The one seam: what comes from elsewhere is taken only with the right key's good signature, or the right checksum.

Real GnuPG. The model server's apt source is tested in the throw-away root, which has an apt of its own.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.cloudformation.mirror import AGENT_KEY, Mirror

AGENT = "amazon-cloudwatch-agent.deb"

pytestmark = pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is missing")


@pytest.fixture
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    # The sockets of GnuPG's agent have short names only.
    made = Mirror(tmp_path_factory.mktemp("m"))
    yield made
    made.close()


def fetch(mirror: Mirror, call: str, trusted: str) -> "subprocess.CompletedProcess[str]":
    """Calls a function of sources.sh, which trusts this key."""
    mirror.trust(trusted)
    (mirror.folder / "got").mkdir(exist_ok=True)
    script = 'set -euo pipefail; fail() { echo "$*" >&2; exit 1; }; source sources.sh; ' + call
    environment = {"PATH": f"{mirror.folder}/bin:/usr/bin:/bin", "HOME": str(mirror.folder)}
    command = ["bash", "-c", script]
    return subprocess.run(command, cwd=mirror.folder, text=True, capture_output=True, env=environment)


def test_an_agent_with_a_good_signature_is_taken(mirror: Mirror) -> None:
    key = mirror.key("maker")
    mirror.put(AGENT, b"agent")
    mirror.sign(AGENT, key)
    done = fetch(mirror, "fetch_agent got", key)
    assert done.returncode == 0, done.stderr
    assert (mirror.folder / "got" / AGENT).read_bytes() == b"agent"


def test_an_agent_that_was_changed_is_refused(mirror: Mirror) -> None:
    key = mirror.key("maker")
    mirror.put(AGENT, b"agent")
    mirror.sign(AGENT, key)
    mirror.put(AGENT, b"worse")
    done = fetch(mirror, "fetch_agent got", key)
    assert (done.returncode, "is not good" in done.stderr) == (1, True)


def test_an_agent_of_another_maker_is_refused(mirror: Mirror) -> None:
    trusted, other = mirror.key("maker"), mirror.key("other")
    mirror.put(AGENT, b"agent")
    mirror.sign(AGENT, other)
    done = fetch(mirror, "fetch_agent got", trusted)
    assert (done.returncode, f"the fingerprint {other}, not {trusted}" in done.stderr) == (1, True)


def test_the_signature_of_an_expired_key_is_refused(mirror: Mirror) -> None:
    # A key of the past: GnuPG is told another time while it signs, and not while it checks.
    past = "--faked-system-time=20200101T000000!"
    key = mirror.key("maker", "1d", past)
    mirror.put(AGENT, b"agent")
    mirror.sign(AGENT, key, past)
    done = fetch(mirror, "fetch_agent got", key)
    assert (done.returncode, "EXPKEYSIG" in done.stderr) == (1, True)


@pytest.mark.parametrize(("content", "status"), [(b"server", 0), (b"worse", 1)])
def test_a_model_server_by_its_checksum(mirror: Mirror, content: bytes, status: int) -> None:
    name = "tensorflow-model-server_2.20.0_all.deb"
    mirror.put(name, content)
    done = fetch(mirror, f"fetch_model_server got 2.20.0 {hashlib.sha256(b'server').hexdigest()}", AGENT_KEY)
    assert done.returncode == status, done.stderr
    assert status == 0 or "ModelServerSha256" in done.stderr
