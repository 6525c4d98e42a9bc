"""The gRPC listener: sockets, sizes, compression, deadlines, the limit of running calls, start checks."""

import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import predict_pb2, session_service_pb2

from tests.model_server import toy
from tests.model_server.client import CALL_SECONDS, Client, predict_request
from tests.model_server.gate import running
from tests.model_server.toy import Publish
from tests.servers import ModelServer, free_port, is_embedded, model_server, run_model_server

SHORT = predict_request({"x": np.float32([1])})
ENDLESS = predict_request({"turns": np.int32(toy.ENDLESS)}, signature_name="slow")


def code_of(call: grpc.Future) -> str:
    """OK, or the code of what came instead."""
    error = call.exception()
    return "OK" if error is None else str(error.code().name)


@pytest.fixture(scope="module")
def base_path(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Path:
    path = tmp_path_factory.mktemp("process")
    publish(path, 1)
    return path


def test_messages_have_no_size_limit(client: Client) -> None:
    text = b"a" * (6 << 20)
    response = client.predict(predict_request({"text": [text]}, signature_name="text"))
    assert response.outputs["upper"].string_val == [text.upper()]


def test_a_compressed_call_is_answered(client: Client) -> None:
    call = client.channel.unary_unary(
        "/tensorflow.serving.PredictionService/Predict",
        predict_pb2.PredictRequest.SerializeToString,
        predict_pb2.PredictResponse.FromString,
    )
    values = np.ones(10_000, np.float32)
    response = call(predict_request({"x": values}), compression=grpc.Compression.Gzip, timeout=CALL_SECONDS)
    assert len(response.outputs["y"].float_val) == len(values)


@pytest.mark.parametrize(
    "method", ["tensorflow.serving.SessionService/SessionRun", "tensorflow.serving.PredictionService/Nope"]
)
def test_a_method_that_is_not_offered(client: Client, method: str) -> None:
    request = session_service_pb2.SessionRunRequest()
    call = client.channel.unary_unary(f"/{method}", type(request).SerializeToString)
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=CALL_SECONDS)
    assert (caught.value.code().name, caught.value.details()) == ("UNIMPLEMENTED", "")


@pytest.fixture(scope="module")
def narrow(base_path: Path) -> Iterator[Client]:
    """A server that runs one call at a time: one of two threads always listens."""
    with model_server("--model_name=toy", f"--model_base_path={base_path}", "--grpc_max_threads=2") as server:
        client = Client(server.address)
        yield client
        client.close()


def assert_exhausted(call: grpc.Future) -> None:
    """Refused: as many calls as are allowed run already."""
    assert (code_of(call), call.details()) == ("RESOURCE_EXHAUSTED", "Server Threadpool Exhausted")


def start_endless(client: Client, seconds: float) -> grpc.Future:
    """Starts a call with this deadline that would never end, and waits until another one is refused."""
    while True:
        call = client.channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict",
            predict_pb2.PredictRequest.SerializeToString,
            predict_pb2.PredictResponse.FromString,
        ).future(ENDLESS, timeout=seconds)
        while not call.done():
            other = client.start_predict(SHORT)
            if code_of(other) != "OK":
                assert_exhausted(other)
                return call
        # The other one was first and this one was refused, or this one has not come in time.
        assert code_of(call) in ("RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED")


def wait_until_free(client: Client) -> None:
    """Until a call is answered again."""
    deadline = time.monotonic() + CALL_SECONDS
    while time.monotonic() < deadline:
        code = code_of(client.start_predict(SHORT))
        if code == "OK":
            return
        assert code == "RESOURCE_EXHAUSTED"
        time.sleep(0.05)
    raise AssertionError("the call that should have ended still runs")


def test_calls_beyond_the_limit_are_refused_until_one_ends(tmp_path: Path, narrow: Client) -> None:
    with running(narrow, tmp_path / "pipe") as request:
        assert_exhausted(narrow.start_predict(SHORT))
        request.finish()
    wait_until_free(narrow)


def test_the_deadline_of_a_call_ends_the_run_as_well(narrow: Client) -> None:
    call = start_endless(narrow, seconds=1)
    assert code_of(call) == "DEADLINE_EXCEEDED"
    wait_until_free(narrow)


def test_a_cancelled_call_leaves_the_server_sound(tmp_path: Path, narrow: Client) -> None:
    with running(narrow, tmp_path / "pipe") as request:
        request.call.cancel()
        assert request.call.cancelled()
    wait_until_free(narrow)


def test_one_thread_refuses_every_call(base_path: Path) -> None:
    with model_server("--model_name=toy", f"--model_base_path={base_path}", "--grpc_max_threads=1") as server:
        client = Client(server.address)
        assert_exhausted(client.start_predict(SHORT))
        client.close()


def test_replaces_a_stale_socket_file_and_needs_no_port(
    base_path: Path, flagged_client: Client, stale_socket: Path
) -> None:
    client = Client(f"unix:{stale_socket}")
    assert client.ask("toy", 4) == (1, 3)
    client.close()
    # A server on the same path takes it over; the other one is reached by its port alone.
    flags = ["--model_name=second", f"--model_base_path={base_path}", f"--grpc_socket_path={stale_socket}"]
    with model_server(*flags):
        client = Client(f"unix:{stale_socket}")
        assert client.ask("second", 4) == (1, 3)
        client.close()
    assert flagged_client.ask("toy", 4) == (1, 3)


def test_takes_channel_arguments_of_both_types(base_path: Path, flagged: ModelServer, flagged_client: Client) -> None:
    assert flagged_client.ask("toy", 4) == (1, 3)
    # So nobody else may listen on its port.
    flags = ["--model_name=toy", f"--model_base_path={base_path}", "--grpc_channel_arguments=grpc.so_reuseport=0"]
    ended = run_model_server(*flags, f"--port={flagged.grpc_port}")
    assert ended.returncode == 255
    assert "Failed to start server. Error: INVALID_ARGUMENT: Failed to BuildAndStart gRPC server" in ended.stdout


@pytest.mark.parametrize(
    "flag",
    [
        "--use_alts_credentials",
        "--platform_config_file=/nowhere",
        "--thread_pool_factory_config_file=/nowhere",
        "--prefer_tflite_model",
    ],
)
def test_what_it_cannot_do_fails_the_start_at_once(flag: str) -> None:
    if not is_embedded():
        pytest.skip("the stock server can")
    ended = run_model_server(f"--port={free_port()}", "--model_base_path=/nowhere", flag)
    assert ended.returncode == 255
    name = flag.partition("=")[0]
    assert f"Failed to start server. Error: UNIMPLEMENTED: {name} is not supported by this server" in ended.stdout


def test_alts_and_tls_together_are_refused() -> None:
    ended = run_model_server("--model_base_path=/nowhere", "--use_alts_credentials", "--ssl_config_file=/nowhere")
    assert ended.returncode == 255
    assert ended.stdout.endswith(
        "Failed to start server. Error: INVALID_ARGUMENT: Either use_alts_credentials must be false or "
        "ssl_config_file must be empty.\n"
    )
