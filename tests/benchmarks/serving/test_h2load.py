"""Reading h2load, and what counts as a failure of a gRPC call."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from benchmarks.serving import grpc_side, h2load

OUTPUT = """finished in 2.00s, 3.50 req/s, 568B/s
traffic: 1.11KB (1135) total, 282B (282) headers (space savings 94.95%), 300B ({data}) data
"""
LOG = "1795462677500185\t200\t3000\n1795462677500210\t200\t1000\n1795462677500220\t{status}\t2000\n"


def test_latencies_are_milliseconds_of_the_log() -> None:
    run = h2load.read(OUTPUT.format(data=300), LOG.format(status=200), expected=100)
    assert run.latencies == (3.0, 1.0, 2.0)
    assert run.failed == 0


def test_an_answer_without_its_bytes_has_failed() -> None:
    assert h2load.read(OUTPUT.format(data=299), LOG.format(status=200), expected=100).failed == 1


def test_a_failed_stream_has_failed() -> None:
    assert h2load.read(OUTPUT.format(data=300), LOG.format(status=-1), expected=100).failed == 1


def test_no_answer_at_all_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="not one answer"):
        h2load.read(OUTPUT.format(data=0), "", expected=100)


def test_connections_are_shared_evenly() -> None:
    assert list(h2load.shared(10, 4)) == [3, 3, 2, 2]


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [h2load.percentile(values, percent) for percent in (50, 90, 99, 100)] == [50, 90, 99, 100]
    assert h2load.percentile([7.0], 99) == 7.0


def test_single_payloads_follow_the_lengths() -> None:
    texts = ["x" * length for length in range(100, 0, -1)]
    lengths = [len(text) for (text,) in grpc_side.single(texts)]
    assert lengths == [7, 19, 32, 44, 57, 69, 82, 94]


def test_batches_are_consecutive_and_full() -> None:
    texts = [str(number) for number in range(40)]
    batches = grpc_side.batched(texts)
    assert batches[1] == [str(number % 40) for number in range(5, 37)]
    assert {len(batch) for batch in batches} == {32}


def test_refusals_are_all_that_is_not_ok() -> None:
    page = (
        "# TYPE :tensorflow:serving:request_count counter\n"
        ':tensorflow:serving:request_count{model_name="intent",status="OK"} 651\n'
        ':tensorflow:serving:request_count{model_name="intent",status="UNAVAILABLE"} 7\n'
        ':tensorflow:serving:request_count{model_name="other",status="INTERNAL"} 2\n'
    )
    assert grpc_side.refusals(page) == 9


@pytest.mark.skipif(shutil.which("h2load") is None, reason="needs h2load, in Debian's nghttp2-client")
def test_grpc_errors_are_counted_though_they_are_http_200(tmp_path: Path) -> None:
    answer = b"fifteen bytes.."

    def method(request: bytes, context: grpc.ServicerContext) -> bytes:
        if request == b"bad":
            context.abort(grpc.StatusCode.UNAVAILABLE, "no")
        return answer

    handlers = {"Ask": grpc.unary_unary_rpc_method_handler(method)}
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Service", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    payloads = [tmp_path / "good.grpc", tmp_path / "bad.grpc"]
    for payload in payloads:
        payload.write_bytes(h2load.framed(payload.stem.encode()))
    server.start()
    try:
        good, bad = (
            h2load.load(f"127.0.0.1:{port}", "/test.Service/Ask", [payload], len(answer), 2, 0.5)
            for payload in payloads
        )
        turns = h2load.load(f"127.0.0.1:{port}", "/test.Service/Ask", payloads, len(answer), 1, 1)
    finally:
        server.stop(None).wait()
    assert good.failed == 0
    assert good.requests > 0
    assert bad.failed == bad.requests > 0
    assert 0 < turns.failed < turns.requests
