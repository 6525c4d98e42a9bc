"""The three message types of the configuration files.

ModelServerConfig is the official one. tensorflow-serving-api ships none for the other two, so they are built here by
name and number, as in TensorFlow Serving 2.20's session_bundle_config.proto and monitoring_config.proto.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.wrappers_pb2 import DESCRIPTOR as WRAPPERS
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

__all__ = ["BatchingParameters", "ModelServerConfig", "MonitoringConfig"]

_PACKAGE = "tensorflow.serving"
_OPTIONAL, _REPEATED = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED
_BOOL, _INT64 = FieldDescriptorProto.TYPE_BOOL, FieldDescriptorProto.TYPE_INT64
_STRING, _MESSAGE = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_MESSAGE
_WRAPPED_INT64, _WRAPPED_STRING = ".google.protobuf.Int64Value", ".google.protobuf.StringValue"
_WRAPPED_BOOL = ".google.protobuf.BoolValue"

# Per message: field name, number, label, type, name of the message type.
_FIELDS: dict[str, list[tuple[str, int, Any, Any, str]]] = {
    "BatchingParameters": [
        ("max_batch_size", 1, _OPTIONAL, _MESSAGE, _WRAPPED_INT64),
        ("batch_timeout_micros", 2, _OPTIONAL, _MESSAGE, _WRAPPED_INT64),
        ("max_enqueued_batches", 3, _OPTIONAL, _MESSAGE, _WRAPPED_INT64),
        ("num_batch_threads", 4, _OPTIONAL, _MESSAGE, _WRAPPED_INT64),
        ("thread_pool_name", 5, _OPTIONAL, _MESSAGE, _WRAPPED_STRING),
        ("allowed_batch_sizes", 6, _REPEATED, _INT64, ""),
        ("pad_variable_length_inputs", 7, _OPTIONAL, _BOOL, ""),
        ("enable_large_batch_splitting", 8, _OPTIONAL, _MESSAGE, _WRAPPED_BOOL),
        ("max_execution_batch_size", 9, _OPTIONAL, _MESSAGE, _WRAPPED_INT64),
    ],
    "PrometheusConfig": [("enable", 1, _OPTIONAL, _BOOL, ""), ("path", 2, _OPTIONAL, _STRING, "")],
    "MonitoringConfig": [("prometheus_config", 1, _OPTIONAL, _MESSAGE, f".{_PACKAGE}.PrometheusConfig")],
}


def _pool() -> DescriptorPool:
    file = FileDescriptorProto(
        name="serving_config/protos.proto", package=_PACKAGE, syntax="proto3", dependency=[WRAPPERS.name]
    )
    for message, rows in _FIELDS.items():
        descriptor = file.message_type.add(name=message)
        for name, number, label, kind, type_name in rows:
            descriptor.field.add(name=name, number=number, label=label, type=kind, type_name=type_name or None)
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
