"""The table from gRPC status to HTTP."""

import grpc
import pytest

from gateway.upstream.statuses import NO_DIALOGUE, QUEUE_FULL, RETRY_AFTER_SECONDS, TABLE, UNKNOWN_LABEL, backend_error

PATH = "/models/intent/1/saved_model.pb"


def _said(name: str, details: str) -> grpc.aio.AioRpcError:
    nothing = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(grpc.StatusCode[name], nothing, nothing, details=details)


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
    error = backend_error(_said(name, f"no {PATH}"))
    assert (error.status, error.code) == (status, code)
    assert PATH not in str(error)
    assert error.retry_after == (RETRY_AFTER_SECONDS if status == 503 else None)
    # What only the operator can mend is in the log, in the model server's own words.
    assert (PATH in caplog.text) == (status == 502)


def test_every_status_but_ok_has_a_row() -> None:
    assert set(TABLE) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


@pytest.mark.parametrize(
    ("name", "details"),
    [
        ("NOT_FOUND", "Servable not found for request: Specific(intent, 7)"),
        ("INVALID_ARGUMENT", f"{UNKNOWN_LABEL}: canary"),
    ],
)
def test_a_missing_version_is_an_error_of_whom_named_it(name: str, details: str) -> None:
    error = backend_error(_said(name, details), is_named=True)
    assert (error.status, error.code) == (404, "unknown_version")
    error = backend_error(_said(name, details))
    assert (error.status, error.code) == (503, "model_not_ready")


def test_a_bad_request_with_a_label_is_no_unknown_label() -> None:
    assert backend_error(_said("INVALID_ARGUMENT", "tensor parsing error: text"), is_named=True).status == 502


@pytest.mark.parametrize("is_named", [False, True])
def test_a_version_that_cannot_use_a_dialogue_is_no_broken_contract(
    is_named: bool, caplog: pytest.LogCaptureFixture
) -> None:
    error = backend_error(_said("FAILED_PRECONDITION", f"{NO_DIALOGUE}."), is_named)
    assert (error.status, error.code) == (422, "context_not_supported")
    assert not caplog.text
    other = backend_error(_said("FAILED_PRECONDITION", 'Serving signature key "labels" not found.'), is_named)
    assert (other.status, other.code) == (502, "model_contract_broken")


def test_a_full_batch_queue_is_overload() -> None:
    error = backend_error(_said("UNAVAILABLE", f"{QUEUE_FULL} to which this task was submitted is full"))
    assert (error.status, error.code) == (503, "model_server_overloaded")
