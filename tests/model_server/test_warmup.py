"""Warm-up records: run as part of the load, so a bad one fails it. One server, a version for each case."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.inference_pb2 import InferenceTask, MultiInferenceRequest
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog, SessionRunLog
from tensorflow_serving.apis.regression_pb2 import RegressionRequest

from tests.model_server import heads
from tests.model_server.client import Client, examples, model_spec, predict_request
from tests.model_server.conftest import Publish
from tests.servers import model_server


def record(request: PredictRequest) -> bytes:
    """A serialised warm-up record."""
    return PredictionLog(predict_log=PredictLog(request=request)).SerializeToString()


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


@pytest.fixture(scope="module")
def base_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("warmup")


@pytest.fixture(scope="module")
def connection(base_path: Path, publish: Publish) -> Iterator[Client]:
    publish(base_path, 1)
    flags = ["--model_name=toy", f"--model_base_path={base_path}", "--max_num_load_retries=0"]
    with model_server(*flags) as server:
        client = Client(server.address)
        yield client
        client.close()


def add(publish: Publish, base_path: Path, version: int, records: list[bytes]) -> Path:
    """Publishes a version with these warm-up records; returns their path."""
    preparing = base_path / "preparing"
    preparing.mkdir(parents=True, exist_ok=True)
    directory = publish(preparing, version)
    extra = directory / "assets.extra"
    extra.mkdir()
    with tf.io.TFRecordWriter(os.fspath(extra / "tf_serving_warmup_requests")) as writer:
        for content in records:
            writer.write(content)
    directory.rename(base_path / str(version))
    return base_path / str(version) / "assets.extra" / "tf_serving_warmup_requests"


@pytest.mark.parametrize(
    ("version", "records"),
    [
        pytest.param(2, [], id="an empty file"),
        pytest.param(3, [GOOD, GOOD], id="requests that work"),
        pytest.param(4, [ELSEWHERE], id="the record's model and version are not looked at"),
        pytest.param(5, [EMPTY], id="a record with nothing set is skipped"),
        pytest.param(6, [EMPTY] * 1000, id="a thousand records"),
        pytest.param(7, [classification("classify"), regression("regress"), multi_inference("x")], id="of every kind"),
    ],
)
def test_a_version_serves_after_its_records_ran(
    connection: Client, base_path: Path, publish: Publish, version: int, records: list[bytes]
) -> None:
    add(publish, base_path, version, records)
    connection.wait_for("toy", **{f"v{version}": "AVAILABLE"})


@pytest.mark.parametrize(
    ("version", "records", "code", "message"),
    [
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
    ],
)
def test_a_bad_record_fails_the_load(
    connection: Client, base_path: Path, publish: Publish, version: int, records: list[bytes], code: int, message: str
) -> None:
    path = add(publish, base_path, version, records)
    connection.wait_for("toy", **{f"v{version}": "END"})
    (ended,) = connection.status(name="toy", version=version)
    assert ended.status.error_code == code
    assert ended.status.error_message == message.replace("PATH", str(path))


@pytest.mark.parametrize(
    ("version", "content", "code", "message"),
    [
        pytest.param(
            20,
            b"twelve and some more bytes",
            15,
            "corrupted record at 0 (Is this even a TFRecord file?). Please verify your warmup data is in TFRecord "
            "format.",
            id="a file that is no TFRecord",
        ),
        pytest.param(21, None, 9, "PATH; Is a directory", id="a directory"),
    ],
)
def test_what_is_no_record_file_fails_the_load(
    connection: Client,
    base_path: Path,
    publish: Publish,
    version: int,
    content: bytes | None,
    code: int,
    message: str,
) -> None:
    path = add(publish, base_path / "preparing", version, [])
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    path = path.parent.parent.rename(base_path / str(version)) / "assets.extra" / path.name
    connection.wait_for("toy", **{f"v{version}": "END"})
    (ended,) = connection.status(name="toy", version=version)
    assert ended.status.error_code == code
    assert ended.status.error_message == message.replace("PATH", str(path))


@pytest.mark.parametrize(
    ("flag", "runs"),
    [
        pytest.param("--num_request_iterations_for_warmup=3", 6, id="three times"),
        pytest.param("--num_request_iterations_for_warmup=0", 2, id="0 is once"),
    ],
)
def test_each_record_runs_as_often_as_the_flag_says(tmp_path: Path, publish: Publish, flag: str, runs: int) -> None:
    counting = predict_request({"x": np.float32([1])}, signature_name="count")
    add(publish, tmp_path, 1, [record(counting)] * 2)
    with model_server("--model_name=toy", f"--model_base_path={tmp_path}", flag) as server:
        client = Client(server.address)
        assert client.predict(counting).outputs["calls"].int_val == [runs + 1]
        client.close()


def test_flags_leave_the_records_out_and_answer_in_tensor_content(tmp_path: Path, publish: Publish) -> None:
    add(publish, tmp_path, 1, [WRONG_SIGNATURE])
    flags = ["--model_name=toy", f"--model_base_path={tmp_path}", "--enable_serialization_as_tensor_content"]
    with model_server(*flags, "--enable_model_warmup=false") as server:
        client = Client(server.address)
        number = client.predict(predict_request({"x": np.float32([1, 4])})).outputs["y"]
        assert list(number.float_val) == []
        assert number.tensor_content == np.float32([1.5, 3]).tobytes()
        text = client.predict(predict_request({"text": [b"ab"]}, signature_name="text")).outputs["upper"]
        assert list(text.string_val) == [b"AB"]
        client.close()
