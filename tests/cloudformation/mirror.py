"""Stands for the internet: a folder with signed packages, for a curl that copies from it. The keys are made here."""

import hashlib
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.servers import ROOT

SOURCES = ROOT / "cloudformation/image/sources.sh"
AGENT_KEY = "937616F3450B7D806CBD9725D58167303B789C72"
MODEL_SERVER_KEY = "916E2B2FEBC274930BACA9D9544B7F63BF9E4D5F"


@dataclass(frozen=True)
class Mirror:
    """A folder whose files are what curl finds under any address that ends in their name."""

    folder: Path

    def put(self, name: str, content: bytes) -> Path:
        path = self.folder / "web" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    def gpg(self, *words: str) -> str:
        """GnuPG with a home of its own; its standard output."""
        home = self.folder / "home"
        home.mkdir(mode=0o700, exist_ok=True)
        command = [
            "gpg",
            "--homedir",
            str(home),
            "--batch",
            "--quiet",
            "--yes",
            "--pinentry-mode=loopback",
            "--passphrase=",
        ]
        return subprocess.run([*command, *words], check=True, capture_output=True).stdout.decode()

    def key(self, who: str, expires: str = "never", *options: str) -> str:
        """Makes a key and puts it where the agent's is; its fingerprint."""
        self.gpg(*options, "--quick-gen-key", who, "ed25519", "sign", expires)
        listed = self.gpg("--with-colons", "--list-keys", who)
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
        self.put("amazon-cloudwatch-agent.gpg", self.gpg("--armor", "--export", fingerprint).encode())
        return fingerprint

    def sign(self, name: str, fingerprint: str, *options: str) -> None:
        path = self.folder / "web" / name
        self.gpg(*options, "--local-user", fingerprint, "--output", f"{path}.sig", "--detach-sign", str(path))

    def trust(self, key: str) -> None:
        """Writes sources.sh with this key in the place of both makers' keys, and the curl that serves the folder."""
        sources = SOURCES.read_text().replace(AGENT_KEY, key).replace(MODEL_SERVER_KEY, key)
        (self.folder / "sources.sh").write_text(
            re.sub("(?m)^(readonly MODEL_SERVER_URL)=.*", r"\1=file:/mirror/apt", sources)
        )
        curl = self.folder / "bin/curl"
        curl.parent.mkdir(exist_ok=True)
        curl.write_text(
            "#!/bin/bash\nwhile [[ $1 != --output ]]; do shift; done\n"
            'cp "$(dirname "$0")/../web/$(basename "$3")" "$2"\n'
        )
        curl.chmod(0o755)

    def apt_source(self, package: Path, version: str, key: str, *options: str) -> None:
        """An apt source as the model server's, with this one package, signed with this key; options for GnuPG."""
        pool, lists = self.folder / "apt/pool", self.folder / "apt/dists/stable"
        folder = lists / "tensorflow-model-server/binary-amd64"
        pool.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        content = package.read_bytes()
        (pool / package.name).write_bytes(content)
        entry = (
            f"Package: tensorflow-model-server\nVersion: {version}\nArchitecture: all\nMaintainer: nobody\n"
            f"Filename: pool/{package.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n\n"
        )
        (folder / "Packages").write_text(entry)
        release = lists / "Release"
        release.write_text(
            f"Suite: stable\nDate: {datetime.now(UTC):%a, %d %b %Y %H:%M:%S} UTC\nArchitectures: amd64\n"
            "Components: tensorflow-model-server\nSHA256:\n"
            f" {hashlib.sha256(entry.encode()).hexdigest()} {len(entry)} {folder.relative_to(lists)}/Packages\n"
        )
        self.gpg(*options, "--local-user", key, "--output", str(lists / "InRelease"), "--clear-sign", str(release))
        self.put("tensorflow-serving.release.pub.gpg", self.gpg("--armor", "--export", key).encode())

    def close(self) -> None:
        """Ends GnuPG's agent."""
        subprocess.run(["gpgconf", "--homedir", str(self.folder / "home"), "--kill", "all"], check=False)
