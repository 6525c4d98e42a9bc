"""The model server's messages, without TensorFlow: built from `messages.binpb`, a serialized FileDescriptorSet.

`python -m serving_config messages` writes that file from tensorflow-serving-api. The pool is this module's own, so the
official generated modules may be loaded in the same process without a clash.
"""

from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

DESCRIPTORS = Path(__file__).with_name("messages.binpb")


def _load() -> DescriptorPool:
    pool = DescriptorPool()
    # Every file stands after its imports, as the pool wants them.
    for file in FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL = _load()


def _message(name: str) -> Any:
    """A message class. Any, because its fields exist only at run time: no type checker can know them."""
    return GetMessageClass(_POOL.FindMessageTypeByName(f"tensorflow.serving.{name}"))


PredictRequest = _message("PredictRequest")
PredictResponse = _message("PredictResponse")
GetModelMetadataRequest = _message("GetModelMetadataRequest")
GetModelMetadataResponse = _message("GetModelMetadataResponse")
SignatureDefMap = _message("SignatureDefMap")
GetModelStatusRequest = _message("GetModelStatusRequest")
GetModelStatusResponse = _message("GetModelStatusResponse")

_DATA_TYPES = _POOL.FindEnumTypeByName("tensorflow.DataType").values_by_name
DT_FLOAT = int(_DATA_TYPES["DT_FLOAT"].number)
DT_STRING = int(_DATA_TYPES["DT_STRING"].number)
DT_INT64 = int(_DATA_TYPES["DT_INT64"].number)
