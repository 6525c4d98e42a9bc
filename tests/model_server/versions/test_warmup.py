"""Warm-up records: run as part of the load, so a bad one fails it."""

from pathlib import Path

import numpy as np
import pytest
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.inference_pb2 import InferenceTask, MultiInferenceRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, SessionRunLog
from tensorflow_serving.apis.regression_pb2 import RegressionRequest

from tests.model_server import heads, warmup_records
from tests.model_server.client import Client, examples, model_spec, predict_request
from tests.model_server.scene import Scene
from tests.model_server.toy import Publish
from tests.model_server.warmup_records import record
from tests.servers import model_server

GOOD = record(predict_request({"x": np.float32([1])}))
ELSEWHERE = record(predict_request({"x": np.float32([1])}, name="another", version=99))
WRONG_SIGNATURE = record(predict_request({"x": np.float32([1])}, signature_name="nope"))
SESSION_RUN = PredictionLog(session_run_log=SessionRunLog()).SerializeToString()
EMPTY = PredictionLog().SerializeToString()


def classification(signature_name: str) -> bytes:
    """A record of Classify."""
    log = PredictionLog()
    spec = model_spec(signature_name=signature_name)
    log.classify_log.request.CopyFrom(ClassificationRequest(model_spec=spec, input=examples(1.0)))
    return log.SerializeToString()


def regression(signature_name: str) -> bytes:
    """A record of Regress."""
    log = PredictionLog()
    spec = model_spec(signature_name=signature_name)
    log.regress_log.request.CopyFrom(RegressionRequest(model_spec=spec, input=examples(1.0)))
    return log.SerializeToString()


def multi_inference(name: str) -> bytes:
    """A record of MultiInference."""
    log = PredictionLog()
    spec = model_spec(name=name, signature_name="classify")
    task = InferenceTask(model_spec=spec, method_name=heads.CLASSIFY)
    log.multi_inference_log.request.CopyFrom(MultiInferenceRequest(tasks=[task], input=examples(1.0)))
    return log.SerializeToString()


# Version and records.
GOOD_CASES = [
    pytest.param(2, [], id="an empty file"),
    pytest.param(3, [GOOD, GOOD], id="requests that work"),
    pytest.param(4, [ELSEWHERE], id="the record's model and version are not looked at"),
    pytest.param(5, [EMPTY], id="a record with nothing set is skipped"),
    pytest.param(6, [EMPTY] * 1000, id="a thousand records"),
    pytest.param(7, [classification("classify"), regression("regress"), multi_inference("x")], id="of every kind"),
]
# Version and records, error code and message.
BAD_CASES = [
    pytest.param(12, [GOOD, WRONG_SIGNATURE], 9, 'Serving signature key "nope" not found.', id="a failing request"),
    pytest.param(13, [SESSION_RUN], 12, "Unsupported log_type for warmup: 5", id="a kind that is not replayed"),
    pytest.param(
        14, [classification("nope")], 3, "No signature was found with the name: nope", id="a failing classification"
    ),
    pytest.param(15, [regression("classify")], 3, "Expected one output Tensor.", id="a failing regression"),
    pytest.param(
        16,
        [multi_inference("")],
        3,
        "Found ModelSpec with an empty model name.",
        id="a multi-inference that names no model",
    ),
    pytest.param(
        17,
        [EMPTY] * 1000 + [WRONG_SIGNATURE],
        9,
        'Serving signature key "nope" not found.',
        id="one too many, which is run first",
    ),
    pytest.param(
        18, [EMPTY] * 1001, 3, "Number of warmup records exceeds the maximum (1000) at PATH", id="too many records"
    ),
    pytest.param(19, [b"no log"], 3, "Failed to parse warmup record: no log from PATH", id="not a PredictionLog"),
]
# The same for what stands in the place of the file of records; None is a directory.
FILE_CASES = [
    pytest.param(
        20,
        b"twelve and some more bytes",
        15,
        "corrupted record at 0 (Is this even a TFRecord file?). Please verify your warmup data is in TFRecord format.",
        id="a file that is no TFRecord",
    ),
    pytest.param(21, None, 9, "PATH; Is a directory", id="a directory"),
]


@pytest.fixture(scope="module")
def stage(changing: Scene, publish: Publish) -> Scene:
    """A server with model `warm`, to whose version 1 the versions of all cases have come just now."""
    changing.serve(publish, "warm", policy="all {}")
    preparing, base_path = changing.base_path("preparing"), changing.folder / "warm"
    for version, records, *_ in (case.values for case in GOOD_CASES + BAD_CASES):
        directory = publish(preparing, 1)
        warmup_records.put(directory, records)
        directory.rename(base_path / str(version))
    for version, content, *_ in (case.values for case in FILE_CASES):
        directory = publish(preparing, 1)
        path = warmup_records.put(directory, [])
        path.unlink()
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)
        directory.rename(base_path / str(version))
    return changing


@pytest.mark.parametrize(("version", "_records"), GOOD_CASES)
def test_a_version_serves_after_its_records_ran(stage: Scene, version: int, _records: list[bytes]) -> None:
    stage.client.wait_for("warm", **{f"v{version}": "AVAILABLE"})


@pytest.mark.parametrize(("version", "_content", "code", "message"), BAD_CASES + FILE_CASES)
def test_a_bad_record_or_file_fails_the_load(
    stage: Scene, version: int, _content: list[bytes] | bytes | None, code: int, message: str
) -> None:
    stage.client.wait_for("warm", **{f"v{version}": "END"})
    (ended,) = stage.client.status(name="warm", version=version)
    assert ended.status.error_code == code
    path = stage.folder / "warm" / str(version) / warmup_records.FILE
    assert ended.status.error_message == message.replace("PATH", str(path))


@pytest.mark.parametrize(("server", "runs"), [("flagged", 3), ("frugal", 1)], ids=["three times", "0 is once"])
def test_each_record_runs_as_often_as_the_flag_says(request: pytest.FixtureRequest, server: str, runs: int) -> None:
    client = Client(request.getfixturevalue(server).address)
    counting = predict_request({"x": np.float32([1])}, signature_name="count")
    # Two records and this one.
    assert client.predict(counting).outputs["calls"].int_val == [2 * runs + 1]
    client.close()


def test_flags_leave_the_records_out_and_answer_in_tensor_content(tmp_path: Path, publish: Publish) -> None:
    warmup_records.put(publish(tmp_path, 1), [WRONG_SIGNATURE])
    flags = ["--model_name=toy", f"--model_base_path={tmp_path}", "--enable_serialization_as_tensor_content"]
    with model_server(*flags, "--enable_model_warmup=false") as server:
        client = Client(server.address)
        number = client.predict(predict_request({"x": np.float32([1, 4])})).outputs["y"]
        assert list(number.float_val) == []
        assert number.tensor_content == np.float32([1.5, 3]).tobytes()
        text = client.predict(predict_request({"text": [b"ab"]}, signature_name="text")).outputs["upper"]
        assert list(text.string_val) == [b"AB"]
        client.close()
