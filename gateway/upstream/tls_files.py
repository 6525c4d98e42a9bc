"""The PEM files for TLS to the model server: read once, and checked, as gRPC would only fail on every call."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import SettingsError
from gateway.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What is in them, in PEM form."""

    authorities: bytes
    pair: tuple[bytes, bytes] | None
    """The gateway's own key and certificate; None without mutual TLS."""


def read_tls_files(settings: Settings) -> TlsFiles | None:
    """The files that the settings name; None if they want no TLS.

    Raises:
        SettingsError: a file cannot be read or used, or key and certificate do not fit.
    """
    authorities, certificate, key = (
        settings.model_server_ca_file,
        settings.model_server_certificate_file,
        settings.model_server_key_file,
    )
    if not authorities:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    root = _read("CA", authorities)
    try:
        context.load_verify_locations(authorities)
    except ssl.SSLError as error:
        raise _unusable("CA", authorities, "holds no certificate") from error
    if not certificate:
        return TlsFiles(root, None)
    pair = _read("KEY", key), _read("CERTIFICATE", certificate)
    try:
        # The password makes an encrypted key an error; without one OpenSSL would ask at the terminal.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            what = f"is not the key of {certificate}"
        else:
            what = f"is no key without password, or {certificate} no certificate"
        raise _unusable("KEY", key, what) from error
    return TlsFiles(root, pair)


def _read(kind: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _unusable(kind, path, f"cannot be read: {error.strerror}") from error


def _unusable(kind: str, path: str, what: str) -> SettingsError:
    return SettingsError(f"GATEWAY_MODEL_SERVER_{kind}_FILE={path} {what}; name a readable PEM file that fits")
