"""The table from gRPC status to HTTP."""

import grpc
import pytest

from gateway.statuses import TABLE, backend_error

PATH = "/models/intent/1/saved_model.pb"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("UNAVAILABLE", 503, "model_server_unavailable"),
        ("NOT_FOUND", 503, "model_not_ready"),
        ("RESOURCE_EXHAUSTED", 503, "model_server_overloaded"),
        ("DEADLINE_EXCEEDED", 504, "deadline_exceeded"),
        ("FAILED_PRECONDITION", 502, "model_contract_broken"),
        ("INVALID_ARGUMENT", 502, "model_contract_broken"),
        ("INTERNAL", 502, "model_server_error"),
        ("UNKNOWN", 502, "model_server_error"),
    ],
)
def test_a_status_becomes_an_error_without_the_model_servers_words(
    name: str, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    nothing = grpc.aio.Metadata()
    error = backend_error(grpc.aio.AioRpcError(grpc.StatusCode[name], nothing, nothing, details=f"no {PATH}"))
    assert (error.status, error.code) == (status, code)
    assert PATH not in str(error)
    # What only the operator can mend is in the log, in the model server's own words.
    assert (PATH in caplog.text) == (status == 502)


def test_every_status_but_ok_has_a_row() -> None:
    assert set(TABLE) == set(grpc.StatusCode) - {grpc.StatusCode.OK}
