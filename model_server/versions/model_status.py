"""ModelService.GetModelStatus: the states of a model's versions."""

from tensorflow_serving.apis import get_model_status_pb2, model_pb2

from model_server.errors import not_found
from model_server.versions.states import StateBoard


def model_status(board: StateBoard, spec: model_pb2.ModelSpec) -> get_model_status_pb2.GetModelStatusResponse:
    """Every version ever seen, highest first, or the one that the spec names. A label is not looked at.

    Raises:
        StatusError: NOT_FOUND.
    """
    seen = board.versions(spec.name)
    if not seen:
        raise not_found(f"Could not find any versions of model {spec.name}")
    if spec.HasField("version"):
        seen = tuple(one for one in seen if one.version == spec.version.value)
        if not seen:
            raise not_found(f"Could not find version {spec.version.value} of model {spec.name}")
    response = get_model_status_pb2.GetModelStatusResponse()
    for one in seen:
        status = response.model_version_status.add(version=one.version, state=int(one.state)).status
        status.SetInParent()
        if one.error:
            status.error_code = int(one.error.code)
            status.error_message = one.error.message
    return response
