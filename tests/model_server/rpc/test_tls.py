"""TLS by `--ssl_config_file`: PEM texts inside, gRPC only."""

import signal
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from tensorflow_serving.apis import get_model_status_pb2

from tests.certificates import make_certificates, needs_openssl, ssl_config
from tests.model_server.client import CALL_SECONDS, model_spec
from tests.servers import START_SECONDS, ModelServer, launch, run_model_server

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ca.pem`; and for `server` and `client`, which the CA signed, `.pem` and `.key`."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


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
