"""PredictionService.GetModelMetadata: every signature of a version."""

from tensorflow_serving.apis import get_model_metadata_pb2

from model_server.errors import invalid_argument
from model_server.inference.servable import Servable

SIGNATURE_FIELD = "signature_def"


def check(request: get_model_metadata_pb2.GetModelMetadataRequest) -> None:
    """A request names `signature_def` and nothing else; checked before a version is looked up."""
    if not request.metadata_field:
        raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
    for name in request.metadata_field:
        if name != SIGNATURE_FIELD:
            raise invalid_argument(f"Metadata field {name} is not supported")


def describe(servable: Servable, name: str) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """The answer for this version; `name` is the model as the request calls it."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for key, signature in servable.signatures.items():
        signatures.signature_def[key].CopyFrom(signature.definition)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = name
    response.model_spec.version.value = servable.version
    response.metadata[SIGNATURE_FIELD].Pack(signatures)
    return response
