"""The messages of the configuration files, for this server and for `serving_config`.

ModelServerConfig is the official one. tensorflow-serving-api ships none for the others, so they are built here by name
and number, as in TensorFlow Serving 2.20's session_bundle_config.proto, monitoring_config.proto and ssl_config.proto.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.wrappers_pb2 import DESCRIPTOR as WRAPPERS
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

__all__ = ["BatchingParameters", "ModelServerConfig", "MonitoringConfig", "SSLConfig"]

_PACKAGE = "tensorflow.serving"
_OPTIONAL, _REPEATED = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED

# Per message: field name and type; the position in the list, from 1, is the field's number.
_FIELDS = {
    "BatchingParameters": [
        ("max_batch_size", "google.protobuf.Int64Value"),
        ("batch_timeout_micros", "google.protobuf.Int64Value"),
        ("max_enqueued_batches", "google.protobuf.Int64Value"),
        ("num_batch_threads", "google.protobuf.Int64Value"),
        ("thread_pool_name", "google.protobuf.StringValue"),
        ("allowed_batch_sizes", "repeated int64"),
        ("pad_variable_length_inputs", "bool"),
        ("enable_large_batch_splitting", "google.protobuf.BoolValue"),
        ("max_execution_batch_size", "google.protobuf.Int64Value"),
    ],
    "PrometheusConfig": [("enable", "bool"), ("path", "string")],
    "MonitoringConfig": [("prometheus_config", "tensorflow.serving.PrometheusConfig")],
    "SSLConfig": [
        ("server_key", "string"),
        ("server_cert", "string"),
        ("custom_ca", "string"),
        ("client_verify", "bool"),
    ],
}


def _field(number: int, name: str, kind: str) -> FieldDescriptorProto:
    label = _REPEATED if kind.startswith("repeated ") else _OPTIONAL
    kind = kind.removeprefix("repeated ")
    field = FieldDescriptorProto(name=name, number=number, label=label)
    if "." in kind:
        field.type_name = f".{kind}"
    else:
        field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
    return field


def _pool() -> DescriptorPool:
    file = FileDescriptorProto(
        name="model_server/protos.proto", package=_PACKAGE, syntax="proto3", dependency=[WRAPPERS.name]
    )
    for message, rows in _FIELDS.items():
        fields = [_field(number, *row) for number, row in enumerate(rows, 1)]
        file.message_type.add(name=message, field=fields)
    # A pool of its own: no other package's definition of the same names can clash.
    pool = DescriptorPool()
    for each in (WRAPPERS.serialized_pb, file.SerializeToString()):
        pool.AddSerializedFile(each)
    return pool


_POOL = _pool()


def _message(name: str) -> Any:
    """A message class. Any, because its fields exist only at run time: no type checker can know them."""
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


BatchingParameters = _message("BatchingParameters")
MonitoringConfig = _message("MonitoringConfig")
SSLConfig = _message("SSLConfig")
