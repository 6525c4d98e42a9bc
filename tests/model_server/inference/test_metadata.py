"""PredictionService.GetModelMetadata."""

import grpc
import pytest
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap

from tests.model_server.client import Client, model_spec
from tests.model_server.toy import DTYPES


def test_lists_every_signature_and_names_the_version_only(client: Client) -> None:
    request = GetModelMetadataRequest(model_spec=model_spec(name="toy"), metadata_field=["signature_def"])
    response = client.metadata(request)
    signatures = SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    predicting = {"serving_default", "text", "two", "project", "scalar", "count", "boom", "slow", "held", *DTYPES}
    assert set(signatures.signature_def) == {*predicting, "classify", "regress", "__saved_model_init_op"}
    halve = signatures.signature_def["serving_default"]
    assert halve.method_name == "tensorflow/serving/predict"
    assert signatures.signature_def["classify"].method_name == "tensorflow/serving/classify"
    assert halve.inputs["x"].name == "serving_default_x:0"
    assert response.model_spec == model_spec(name="toy", version=2)


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        pytest.param(
            GetModelMetadataRequest(), "INVALID_ARGUMENT", "Missing ModelSpec", id="the spec is checked first"
        ),
        pytest.param(
            GetModelMetadataRequest(model_spec=model_spec(name="ghost")),
            "INVALID_ARGUMENT",
            "GetModelMetadataRequest must specify at least one metadata_field",
            id="then the fields",
        ),
        pytest.param(
            GetModelMetadataRequest(model_spec=model_spec(name="ghost"), metadata_field=["signature_def", "nope"]),
            "INVALID_ARGUMENT",
            "Metadata field nope is not supported",
            id="each of them",
        ),
        pytest.param(
            GetModelMetadataRequest(model_spec=model_spec(name="ghost"), metadata_field=["signature_def"]),
            "NOT_FOUND",
            "Servable not found for request: Latest(ghost)",
            id="then the version",
        ),
    ],
)
def test_refuses(client: Client, request_: GetModelMetadataRequest, code: str, message: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.metadata(request_)
    assert (caught.value.code().name, caught.value.details()) == (code, message)
