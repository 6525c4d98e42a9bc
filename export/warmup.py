"""Warm-up records: requests that the model server runs before a new version becomes AVAILABLE.

The first run of every (rows, length) shape takes milliseconds longer.
"""

from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

# Where the model server looks, by its own convention.
FILE = Path("assets.extra") / "tf_serving_warmup_requests"
# One word is one piece, so these pad to 8, 16, 24, 32, 48 and 64 pieces: real utterances have 19 on average.
WORDS = (4, 12, 20, 28, 44, 60)
# A lone request, small batches, and the most rows that batching.config lets through.
ROWS = (1, 2, 4, 8, 16, 32)


def write(saved_model: Path, model_name: str, dialogue: bool) -> None:
    """Writes the records into a SavedModel directory; with `dialogue` also some for that signature."""
    path = saved_model / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [_labels(model_name), *_predictions(model_name), *(_dialogues(model_name) if dialogue else ())]
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record.SerializeToString())


def _predictions(model_name: str) -> Iterable[prediction_log_pb2.PredictionLog]:
    for words in WORDS:
        for rows in ROWS:
            yield _record(model_name, "serving_default", text=[_words(words)] * rows)


def _dialogues(model_name: str) -> Iterable[prediction_log_pb2.PredictionLog]:
    """Lone requests and small batches: text and previous turn together are twice as long."""
    for words in WORDS:
        for rows in ROWS[:3]:
            inputs = {"text": [_words(words)] * rows, "role": ["student"] * rows, "previous": [_words(words)] * rows}
            yield _record(model_name, "dialogue", **inputs)


def _words(count: int) -> str:
    return " ".join(["stir"] * count)


def _labels(model_name: str) -> prediction_log_pb2.PredictionLog:
    """What the gateway asks first of every version."""
    return _record(model_name, "labels", label_index=tf.constant([0], tf.int64))


def _record(model_name: str, signature: str, **inputs: object) -> prediction_log_pb2.PredictionLog:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model_name
    request.model_spec.signature_name = signature
    for name, values in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
    return prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
