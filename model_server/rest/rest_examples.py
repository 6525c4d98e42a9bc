"""Classify and Regress over REST: JSON objects to tf.Examples."""

from typing import Any

from tensorflow.core.example import example_pb2, feature_pb2
from tensorflow_serving.apis import input_pb2

from model_server.errors import invalid_argument
from model_server.rest.json_parser import parse_object
from model_server.rest.json_reader import members
from model_server.rest.json_tensors import decode_base64, is_base64
from model_server.rest.json_writer import as_double, is_double, type_name
from model_server.rest.rest_predict import malformed, signature_name

CONTEXT, EXAMPLES = "context", "examples"
_MAX_INT64 = 2**63 - 1


def read(body: bytes) -> tuple[str, input_pb2.Input]:
    """The signature's name, empty if none was given, and the examples."""
    document = parse_object(body)
    name = _printable(signature_name(document))
    given = input_pb2.Input()
    if CONTEXT in document:
        _fill(document[CONTEXT], given.example_list_with_context.context)
        target = given.example_list_with_context.examples
    else:
        target = given.example_list.examples
    if EXAMPLES not in document:
        # "classify" is what the stock server says to Regress too.
        raise malformed(document, f"When method is classify, key '{EXAMPLES}' is expected and was not found")
    examples = document[EXAMPLES]
    if not isinstance(examples, list):
        raise malformed(document, f"Expecting '{EXAMPLES}' value to be an list/array")
    if not examples:
        raise malformed(document, f"'{EXAMPLES}' value is an empty array")
    for example in examples:
        _fill(example, target.add())
    return name, given


def _fill(value: Any, example: example_pb2.Example) -> None:
    if not isinstance(value, dict):
        raise invalid_argument(f"Example must be JSON object but got JSON {type_name(value)}")
    features = example.features.feature
    for name, content in members(value):
        features[_printable(name)].CopyFrom(_feature(name, content if isinstance(content, list) else [content]))


def _feature(name: str, values: list[Any]) -> feature_pb2.Feature:
    """The kind comes from the first value's JSON token; the others must be of the same."""
    feature = feature_pb2.Feature()
    for value in values:
        if value is None or isinstance(value, list) or (isinstance(value, dict) and not is_base64(value)):
            raise invalid_argument(f"Feature: {name} has element with unexpected JSON type: {type_name(value)}")
        if isinstance(value, str | dict):
            _check_kind(feature, name, "bytes")
            content = decode_base64(value) if isinstance(value, dict) else value.encode(errors="surrogateescape")
            feature.bytes_list.value.append(content)
        elif is_double(value):
            _check_kind(feature, name, "float")
            feature.float_list.value.append(as_double(value))
        else:
            _check_kind(feature, name, "int64")
            if value > _MAX_INT64:
                raise invalid_argument(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
            # true and false count as 1 and 0.
            feature.int64_list.value.append(int(value))
    return feature


def _printable(name: str) -> str:
    # A name goes into a message, which holds Unicode only.
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _check_kind(feature: feature_pb2.Feature, name: str, wanted: str) -> None:
    found = feature.WhichOneof("kind")
    if found not in (None, f"{wanted}_list"):
        raise invalid_argument(
            f"Unexpected element type in feature: {name} expecting type: {found.removesuffix('_list')}"
        )
