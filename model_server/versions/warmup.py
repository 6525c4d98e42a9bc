"""Runs the requests that a version brings along, before it serves; one that fails fails the load."""

import logging
import time
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorflow.python.framework.errors_impl import DataLossError, OpError
from tensorflow.python.lib.io import _pywrap_record_io
from tensorflow_serving.apis import prediction_log_pb2

from model_server.errors import Code, StatusError, invalid_argument, unimplemented
from model_server.graph.session import status
from model_server.inference.classify import classify
from model_server.inference.multi_inference import multi_inference
from model_server.inference.predict import predict
from model_server.inference.regress import regress
from model_server.inference.servable import Servable
from model_server.metrics import metrics

_log = logging.getLogger(__name__)

RECORDS = Path("assets.extra") / "tf_serving_warmup_requests"
# The stock server's limit.
MAX_RECORDS = 1000


def warm_up(servable: Servable, directory: Path, iterations: int) -> None:
    """Runs every record of the version's warm-up file, if it has one, `iterations` times each.

    Raises:
        StatusError: DATA_LOSS or INVALID_ARGUMENT, the file is no TFRecord of PredictionLog or is too long (the record
            that is too many runs first); FAILED_PRECONDITION, it is a directory;
            UNIMPLEMENTED, a kind of record that cannot be replayed; or what a request gave.
    """
    path = directory / RECORDS
    if not path.exists():
        return
    count, start = 0, time.perf_counter()
    try:
        for record in _pywrap_record_io.RecordIterator(str(path), ""):
            log = _parse(record, path)
            for _ in range(iterations):
                _replay(servable, log)
            count += 1
            if count > MAX_RECORDS:
                raise invalid_argument(f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {path}")
    except DataLossError as error:
        _record(directory, f"DATA_LOSS: {error.message}", count, start)
        message = f"{error.message}. Please verify your warmup data is in TFRecord format."
        raise StatusError(Code.DATA_LOSS, message) from None
    except OpError as error:
        raise status(error) from None
    _record(directory, "OK", count, start)
    _log.info("Finished reading warmup data for model at %s. Number of warmup records read: %d", directory, count)


def _record(directory: Path, outcome: str, count: int, start: float) -> None:
    metrics.warmup_latency.observe(metrics.microseconds(time.perf_counter() - start), str(directory), outcome)
    metrics.warmup_records_read.add(str(directory), outcome, by=count)


def _parse(record: bytes, path: Path) -> prediction_log_pb2.PredictionLog:
    try:
        return prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError:
        text = record.decode(errors="replace")
        raise invalid_argument(f"Failed to parse warmup record: {text} from {path}") from None


def _replay(servable: Servable, log: prediction_log_pb2.PredictionLog) -> None:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        predict(servable, log.predict_log.request, timeout=None, as_content=False)
    elif kind == "classify_log":
        classify(servable, log.classify_log.request, timeout=None)
    elif kind == "regress_log":
        regress(servable, log.regress_log.request, timeout=None)
    elif kind == "multi_inference_log":
        multi_inference(servable, log.multi_inference_log.request, timeout=None)
    elif kind is not None:
        number = log.DESCRIPTOR.fields_by_name[kind].number
        raise unimplemented(f"Unsupported log_type for warmup: {number}")
