"""A Debian root that is made for one test, what install.sh makes of it, and its systemd, run in a container.

Debian, because that is what this project can count on having; the image itself is made from Ubuntu. It needs root,
debootstrap and systemd-nspawn, and Debian's packages and the Python package index, as this machine is set up for them.
"""

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import ROOT

PROGRAMS = ("debootstrap", "systemd-nspawn", "nsenter", "dpkg-deb")
# What Ubuntu's image has from the start.
PACKAGES = "systemd,systemd-sysv,dbus,ca-certificates,python3"
BOOT_SECONDS = 60
STAND_IN = Path(__file__).parent / "stand_in"


def why_not() -> str | None:
    """Why no root can be made here; None if one can."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        return f"{', '.join(missing)} missing"
    if os.geteuid() != 0:
        return "must be root"
    if not _mirror():
        return "this machine's apt has no Debian mirror"
    return None


def _mirror() -> str:
    """Debian's mirror as this machine is set up for it; empty if it is not."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], text=True, capture_output=True)
    return next((line for line in listed.stdout.splitlines() if line.rstrip("/").endswith("/debian")), "")


@dataclass(frozen=True)
class ThrowawayRoot:
    """The root's folder, and what is shown to it read-only."""

    folder: Path
    shown: dict[Path, str]
    """Folders of this machine, by the path that they have inside."""

    @classmethod
    def make(cls, folder: Path, suite: str, shown: dict[Path, str]) -> "ThrowawayRoot":
        """Debian's smallest system of this suite."""
        mirror = _mirror()
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, str(folder), mirror]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        # How this machine's apt reaches the mirror goes for the root's too.
        for file in Path("/etc/apt/apt.conf.d").glob("99*"):
            shutil.copy(file, folder / "etc/apt/apt.conf.d")
        return cls(folder, shown)

    def run_unbooted(self, *command: str, environment: dict[str, str]) -> str:
        """Runs the command as root inside, with this machine's network; what it prints.

        Raises:
            RuntimeError: it failed; with its last words.
        """
        settings = [f"--setenv={name}={value}" for name, value in environment.items()]
        words = [*self._container(), "--pipe", *settings, *command]
        done = subprocess.run(words, text=True, stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout

    @contextmanager
    def booted(self) -> Iterator["Machine"]:
        """Its systemd runs, without any network but its own loopback, until the end of the block."""
        command = [*self._container(), "--boot", "--private-network", "--console=pipe", "--link-journal=no"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            machine = Machine(_first_process(process))
            machine.run("systemctl", "is-system-running", "--wait", check=False)
            yield machine
        finally:
            # It halts the container.
            process.terminate()
            process.wait()

    def _container(self) -> list[str]:
        binds = [f"--bind-ro={outside}:{inside}" for outside, inside in self.shown.items()]
        return ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--directory={self.folder}", *binds]


@dataclass(frozen=True)
class Machine:
    """A running container."""

    first_process: int

    def run(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Runs the command as root inside; standard output and error are kept.

        Raises:
            AssertionError: it failed, and `check` is set; with all that it said.
        """
        inside = ["nsenter", f"--target={self.first_process}", "--all", *command]
        path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        done = subprocess.run(inside, text=True, capture_output=True, env=path)
        assert not check or done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def halt(self) -> None:
        """Stops everything in order, as an instance does that is ended; returns when it is done."""
        ended = os.pidfd_open(self.first_process)
        try:
            # The connection may break before the answer comes.
            self.run("systemctl", "halt", check=False)
            select.select([ended], [], [])
        finally:
            os.close(ended)

    def property(self, unit: str, name: str) -> str:
        """What systemd says of a unit, as `systemctl show` does."""
        return self.run("systemctl", "show", f"--property={name}", "--value", unit).stdout.strip()


def _first_process(container: "subprocess.Popen[bytes]") -> int:
    """The container's systemd, as soon as it answers."""
    until = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < until and container.poll() is None:
        children = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text().split()
        if children and Machine(int(children[0])).run("systemctl", "show-environment", check=False).returncode == 0:
            return int(children[0])
        time.sleep(0.2)
    raise RuntimeError(f"the container did not boot; systemd-nspawn ended with {container.poll()}")


def stand_in_package(folder: Path, version: str) -> dict[Path, str]:
    """Makes the package that takes the stock model server's place; what of this machine it needs to be shown."""
    folder.mkdir()
    tree = folder / "tree"
    shutil.copytree(STAND_IN / "package", tree)
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        f"Package: tensorflow-model-server\nVersion: {version}\nArchitecture: all\nMaintainer: nobody\n"
        "Description: stand-in for tests: the embedded model server of the machine that runs them\n"
    )
    (tree / "usr/bin/tensorflow_model_server").chmod(0o755)
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, folder], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    packages = Path(next(path for path in sys.path if path.endswith("site-packages")))
    return {
        folder: "/stand-in/package",
        STAND_IN: "/stand-in/files",
        Path(sys.base_prefix): "/stand-in/python",
        packages: "/stand-in/site-packages",
        ROOT / "model_server": "/stand-in/code/model_server",
    }


def wheels(folder: Path, python: str, *locks: Path) -> None:
    """Fetches all locked packages for that Python, hashes checked, with this machine's package index."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    for lock in locks:
        words = [*pip, f"--python-version={python}", f"--dest={folder}", f"--requirement={lock}"]
        subprocess.run(words, check=True)
