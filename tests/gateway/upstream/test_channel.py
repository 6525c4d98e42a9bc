"""Ways to the model server: TLS, mutual TLS, a UNIX socket, several addresses."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from gateway.errors import ModelServerUnavailableError
from gateway.upstream.deadline import Deadline
from gateway.upstream.question import DEFAULT
from tests.certificates import make_certificates, needs_openssl, ssl_config
from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.played_server import backend, played, prediction
from tests.gateway.running import gateway
from tests.servers import START_SECONDS, ModelServer, launch


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


def tls(certificates: Path, with_certificate: bool = False, **settings: object) -> dict[str, object]:
    """The gateway's settings for TLS."""
    files: dict[str, object] = {"model_server_ca_file": certificates / "ca.pem"}
    if with_certificate:
        files["model_server_certificate_file"] = certificates / "client.pem"
        files["model_server_key_file"] = certificates / "client.key"
    return {name: str(path) for name, path in files.items()} | settings


async def version(**settings: object) -> int:
    """The version that answers a backend with these settings."""
    async with backend(**settings) as it:
        return (await it.predict(["a"], DEFAULT, Deadline.after(60))).version


@pytest.fixture(scope="module", params=[False, True], ids=["any client", "verified clients"])
def secured(
    request: pytest.FixtureRequest, certificates: Path, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ModelServer, bool]]:
    """A model server with TLS, and whether clients must show a certificate."""
    folder = tmp_path_factory.mktemp("secured")
    flags = ["--model_name=intent", f"--model_base_path={models / 'intent'}"]
    with launch(*flags, f"--ssl_config_file={ssl_config(folder, certificates, request.param)}") as it:
        read = [(certificates / name).read_bytes() for name in ("ca.pem", "client.key", "client.pem")]
        with grpc.secure_channel(it.address, grpc.ssl_channel_credentials(*read)) as channel:
            grpc.channel_ready_future(channel).result(timeout=START_SECONDS)
        yield it, request.param


@needs_openssl
class TestTls:
    def test_a_gateway_answers_over_tls(self, secured: tuple[ModelServer, bool], certificates: Path) -> None:
        server, is_mutual = secured
        with gateway(model_server=server.address, **tls(certificates, is_mutual), **PATIENT) as running:
            assert running.predict("a").json["intent"] == MODEL.intent("a")

    async def test_without_its_own_certificate_it_is_served_only_where_none_is_wanted(
        self, secured: tuple[ModelServer, bool], certificates: Path
    ) -> None:
        server, is_mutual = secured
        if is_mutual:
            with pytest.raises(ModelServerUnavailableError):
                await version(model_server=server.address, **tls(certificates))
        else:
            assert await version(model_server=server.address, **tls(certificates)) == 1

    async def test_no_plain_text_to_a_server_with_tls(self, secured: tuple[ModelServer, bool]) -> None:
        with pytest.raises(ModelServerUnavailableError):
            await version(model_server=secured[0].address)

    async def test_a_server_of_another_authority_is_not_trusted(
        self, secured: tuple[ModelServer, bool], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        make_certificates(tmp_path)
        with pytest.raises(ModelServerUnavailableError):
            await version(model_server=secured[0].address, breaker_failures=1, **tls(tmp_path, with_certificate=True))
        assert "CERTIFICATE_VERIFY_FAILED" in caplog.text, "the operator is told why"

    @pytest.mark.parametrize("form", ["addresses", "host"])
    async def test_the_name_in_the_certificate_can_be_set(
        self, secured: tuple[ModelServer, bool], certificates: Path, form: str
    ) -> None:
        server, _ = secured
        forms = {"addresses": f"{server.address},{server.address}", "host": server.address}
        settings = {"model_server": forms[form], **tls(certificates, with_certificate=True)}
        assert await version(**settings, model_server_tls_name="localhost") == 1
        with pytest.raises(ModelServerUnavailableError):
            await version(**settings, model_server_tls_name="another-server")


async def test_a_unix_socket(server: ModelServer, models: Path) -> None:
    assert await version(model_server=f"unix:{models / 'socket'}") == 1


async def test_calls_to_several_addresses_take_turns() -> None:
    async def answer(*_: object) -> object:
        return prediction()

    async with played(answer) as one, played(answer) as two:
        async with backend(model_server=f"127.0.0.1:{one.port},127.0.0.1:{two.port}") as it:
            while not (one.methods and two.methods):
                await it.predict(["a"], DEFAULT, Deadline.after(60))
            for server in (one, two):
                server.methods.clear()
            for _ in range(10):
                await it.predict(["a"], DEFAULT, Deadline.after(60))
        assert len(one.methods) == len(two.methods) == 5
