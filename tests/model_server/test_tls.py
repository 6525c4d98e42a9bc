"""TLS by `--ssl_config_file`: PEM texts inside, gRPC only."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from tensorflow_serving.apis import get_model_status_pb2

from tests.model_server.client import CALL_SECONDS, model_spec
from tests.servers import START_SECONDS, ModelServer, launch, run_model_server

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(not OPENSSL, reason="certificates are made with the openssl command")

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1\n"


def openssl(*words: str, folder: Path) -> None:
    """Runs the command in the folder."""
    subprocess.run([OPENSSL or "openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ca.pem`; and for `server` and `client`, which the CA signed, `.pem` and `.key`."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "names").write_text(NAMES)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca = ["-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem"]
    openssl("req", "-x509", *key, *ca, folder=folder)
    for name in ("server", "client"):
        request = ["-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr"]
        openssl("req", *key, *request, folder=folder)
        sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"]
        openssl("x509", "-req", "-in", f"{name}.csr", *sign, "-out", f"{name}.pem", folder=folder)
    return folder


def ssl_config(folder: Path, certificates: Path, client_verify: bool) -> Path:
    """The configuration file. JSON and text format quote a string alike."""
    fields = {"server_key": "server.key", "server_cert": "server.pem", "custom_ca": "ca.pem"}
    lines = [f"{field}: {json.dumps((certificates / name).read_text())}" for field, name in fields.items()]
    lines.append(f"client_verify: {str(client_verify).lower()}")
    path = folder / "ssl.config"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module", params=[False, True], ids=["any client", "verified clients"])
def server(
    request: pytest.FixtureRequest, certificates: Path, heads_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ModelServer, bool]]:
    """A server with TLS, and whether clients must show a certificate."""
    config = ssl_config(tmp_path_factory.mktemp("ssl"), certificates, request.param)
    with launch("--model_name=heads", f"--model_base_path={heads_path}", f"--ssl_config_file={config}") as running:
        with grpc.secure_channel(running.address, credentials(certificates, with_certificate=True)) as channel:
            grpc.channel_ready_future(channel).result(timeout=START_SECONDS)
        yield running, request.param


def credentials(certificates: Path, with_certificate: bool) -> grpc.ChannelCredentials:
    """A client that trusts the CA, with its own certificate or without."""
    read = {name: (certificates / name).read_bytes() for name in ("ca.pem", "client.key", "client.pem")}
    pair = (read["client.key"], read["client.pem"]) if with_certificate else (None, None)
    return grpc.ssl_channel_credentials(read["ca.pem"], *pair)


def status(channel: grpc.Channel) -> str:
    """OK, or the code of what came instead."""
    request = get_model_status_pb2.GetModelStatusRequest(model_spec=model_spec(name="heads"))
    call = channel.unary_unary(
        "/tensorflow.serving.ModelService/GetModelStatus",
        type(request).SerializeToString,
        get_model_status_pb2.GetModelStatusResponse.FromString,
    )
    try:
        call(request, timeout=CALL_SECONDS)
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"


def test_answers_over_tls(server: tuple[ModelServer, bool], certificates: Path) -> None:
    with grpc.secure_channel(server[0].address, credentials(certificates, with_certificate=True)) as channel:
        assert status(channel) == "OK"


def test_a_client_without_certificate_is_refused_only_where_it_needs_one(
    server: tuple[ModelServer, bool], certificates: Path
) -> None:
    with grpc.secure_channel(server[0].address, credentials(certificates, with_certificate=False)) as channel:
        assert status(channel) == ("UNAVAILABLE" if server[1] else "OK")


def test_plain_text_is_not_understood(server: tuple[ModelServer, bool]) -> None:
    with grpc.insecure_channel(server[0].address) as channel:
        assert status(channel) == "UNAVAILABLE"


@pytest.mark.parametrize("text", [None, "server_kee: ''"], ids=["no file", "a typo"])
def test_a_configuration_that_cannot_be_read_aborts_the_process(
    tmp_path: Path, heads_path: Path, text: str | None
) -> None:
    path = tmp_path / "ssl.config"
    if text:
        path.write_text(text)
    ended = run_model_server("--port=0", f"--grpc_socket_path={tmp_path / 'socket'}", *flags(heads_path, path))
    assert ended.returncode == -signal.SIGABRT
    assert str(path) in ended.stderr


def test_texts_that_are_no_certificates_fail_the_start(tmp_path: Path, heads_path: Path) -> None:
    path = tmp_path / "ssl.config"
    path.write_text("server_key: 'nonsense' server_cert: 'nonsense'")
    ended = run_model_server("--port=0", f"--grpc_socket_path={tmp_path / 'socket'}", *flags(heads_path, path))
    assert ended.returncode == 255
    assert "Failed to start server. Error: INVALID_ARGUMENT: Failed to BuildAndStart gRPC server" in ended.stdout


def flags(base_path: Path, config: Path) -> list[str]:
    """A model, and TLS as configured in this file."""
    return ["--model_name=heads", f"--model_base_path={base_path}", f"--ssl_config_file={config}"]
