"""ModelService.GetModelStatus."""

from typing import Any

import grpc
import pytest
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, GetModelStatusResponse

from tests.model_server.client import Client, model_spec


@pytest.mark.parametrize(
    ("spec", "versions"),
    [
        pytest.param({}, [2, 1], id="all, highest first"),
        pytest.param({"version": 1}, [1], id="one"),
        pytest.param({"version_label": "stable"}, [2, 1], id="a label is not looked at"),
        pytest.param({"version_label": "nope"}, [2, 1], id="not even an unknown one"),
    ],
)
def test_lists_versions(client: Client, spec: dict[str, Any], versions: list[int]) -> None:
    seen = client.status(name="toy", **spec)
    assert [one.version for one in seen] == versions
    for one in seen:
        assert one.state == one.AVAILABLE
        assert one.HasField("status")
        assert (one.status.error_code, one.status.error_message) == (0, "")


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        pytest.param(GetModelStatusRequest(), "INVALID_ARGUMENT", "Missing ModelSpec", id="no spec"),
        pytest.param(
            GetModelStatusRequest(model_spec=model_spec(name="")),
            "NOT_FOUND",
            "Could not find any versions of model ",
            id="an empty name is an unknown model",
        ),
        pytest.param(
            GetModelStatusRequest(model_spec=model_spec(name="toy", version=9)),
            "NOT_FOUND",
            "Could not find version 9 of model toy",
            id="unknown version",
        ),
    ],
)
def test_refuses(client: Client, request_: GetModelStatusRequest, code: str, message: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.call("ModelService/GetModelStatus", request_, GetModelStatusResponse).result()
    assert (caught.value.code().name, caught.value.details()) == (code, message)
