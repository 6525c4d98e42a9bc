"""Warm-up records: run as part of the load, so a bad one fails it. One server, a version for each case."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog, SessionRunLog

from tests.model_server.client import Client, predict_request
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
    preparing.mkdir(exist_ok=True)
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
            14, [EMPTY] * 1001, 3, "Number of warmup records exceeds the maximum (1000) at PATH", id="too many records"
        ),
        pytest.param(15, [b"\xff"], 3, "Failed to parse warmup record: ", id="not a PredictionLog"),
    ],
)
def test_a_bad_record_fails_the_load(
    connection: Client, base_path: Path, publish: Publish, version: int, records: list[bytes], code: int, message: str
) -> None:
    path = add(publish, base_path, version, records)
    connection.wait_for("toy", **{f"v{version}": "END"})
    (ended,) = connection.status(name="toy", version=version)
    assert ended.status.error_code == code
    assert ended.status.error_message.startswith(message.replace("PATH", str(path)))


def test_a_file_that_is_no_tfrecord_fails_the_load(connection: Client, base_path: Path, publish: Publish) -> None:
    preparing = base_path / "preparing"
    preparing.mkdir(exist_ok=True)
    directory = publish(preparing, 16)
    (directory / "assets.extra").mkdir()
    (directory / "assets.extra" / "tf_serving_warmup_requests").write_text("twelve and some more bytes")
    directory.rename(base_path / "16")
    connection.wait_for("toy", v16="END")
    (ended,) = connection.status(name="toy", version=16)
    assert ended.status.error_code == 15
    assert ended.status.error_message.endswith(". Please verify your warmup data is in TFRecord format.")


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
