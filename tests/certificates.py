"""Certificates for tests of TLS, made with the openssl command."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(not OPENSSL, reason="certificates are made with the openssl command")

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1\n"


def make_certificates(folder: Path) -> None:
    """Writes `ca.pem`; and for `server` and `client`, which the CA signed, `.pem` and `.key`."""
    (folder / "names").write_text(NAMES)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca = ["-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem"]
    _openssl("req", "-x509", *key, *ca, folder=folder)
    for name in ("server", "client"):
        request = ["-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr"]
        _openssl("req", *key, *request, folder=folder)
        sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"]
        _openssl("x509", "-req", "-in", f"{name}.csr", *sign, "-out", f"{name}.pem", folder=folder)


def ssl_config(folder: Path, certificates: Path, client_verify: bool) -> Path:
    """The model server's configuration file. JSON and text format quote a string alike."""
    fields = {"server_key": "server.key", "server_cert": "server.pem", "custom_ca": "ca.pem"}
    lines = [f"{field}: {json.dumps((certificates / name).read_text())}" for field, name in fields.items()]
    lines.append(f"client_verify: {str(client_verify).lower()}")
    path = folder / "ssl.config"
    path.write_text("\n".join(lines))
    return path


def _openssl(*words: str, folder: Path) -> None:
    subprocess.run([OPENSSL or "openssl", *words], cwd=folder, check=True, capture_output=True)
