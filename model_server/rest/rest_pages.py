"""Status and metadata pages: messages as JSON, in the layout of the C++ protobuf library."""

import json
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from model_server.inference.metadata import SIGNATURE_FIELD

# The C++ library does not let these into HTML by accident.
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "\x7f": "\\u007f"}


def status_page(response: get_model_status_pb2.GetModelStatusResponse) -> str:
    """The answer to `GET /v1/models/<name>`."""
    return _text(response)


def metadata_page(response: get_model_metadata_pb2.GetModelMetadataResponse) -> str:
    """The answer to `GET /v1/models/<name>/metadata`."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata[SIGNATURE_FIELD].Unpack(signatures)
    spec = _text(response.model_spec)
    return f'{{\n"model_spec":{spec},\n"metadata": {{"{SIGNATURE_FIELD}": {_text(signatures)}}}\n}}\n'


def _text(message: Message) -> str:
    values = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    text = json.dumps(_in_order(message, values), indent=1, ensure_ascii=False)
    for letter, escape in _ESCAPES.items():
        text = text.replace(letter, escape)
    return text + "\n"


def _in_order(here: Any, values: Any) -> Any:
    """The fields by number; Python prints those that have their default after the others.

    `here` is what `values` were made of: a message, a map, a list, or a value that has a JSON form of its own.
    """
    if isinstance(values, list):
        return [_in_order(*pair) for pair in zip(here, values, strict=True)]
    if not isinstance(values, dict):
        return values
    if not isinstance(here, Message):
        return {key: _in_order(here[key], value) for key, value in values.items()}
    fields: list[Any] = sorted(here.DESCRIPTOR.fields, key=lambda field: field.number)
    return {
        field.name: _in_order(getattr(here, field.name), values[field.name]) for field in fields if field.name in values
    }
