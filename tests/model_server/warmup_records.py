"""Writes the warm-up records of a version."""

import os
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog

FILE = Path("assets.extra") / "tf_serving_warmup_requests"


def record(request: PredictRequest) -> bytes:
    """A serialised record of Predict."""
    return PredictionLog(predict_log=PredictLog(request=request)).SerializeToString()


def put(directory: Path, records: Iterable[bytes]) -> Path:
    """Adds the records to the version in this directory, which is not served yet; returns their path."""
    path = directory / FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(os.fspath(path)) as writer:
        for each in records:
            writer.write(each)
    return path
