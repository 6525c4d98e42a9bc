"""Answers recorded from the real tensorflow_model_server 2.20, replayed.

`TENSORFLOW_SERVING_GOLDEN` names the folder: `answers.jsonl`, `toy.config` and the models that gave the answers.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

from tests.model_server.rest_client import Rest
from tests.servers import ModelServer, model_server

FOLDER = os.environ.get("TENSORFLOW_SERVING_GOLDEN")
METHODS = {
    "Predict": (predict_pb2.PredictRequest, predict_pb2.PredictResponse),
    "Classify": (classification_pb2.ClassificationRequest, classification_pb2.ClassificationResponse),
    "Regress": (regression_pb2.RegressionRequest, regression_pb2.RegressionResponse),
    "MultiInference": (inference_pb2.MultiInferenceRequest, inference_pb2.MultiInferenceResponse),
    "GetModelMetadata": (
        get_model_metadata_pb2.GetModelMetadataRequest,
        get_model_metadata_pb2.GetModelMetadataResponse,
    ),
    "GetModelStatus": (get_model_status_pb2.GetModelStatusRequest, get_model_status_pb2.GetModelStatusResponse),
}
# Names of nodes and functions inside an op's error differ from build to build.
PLACE = re.compile(r"\{\{[^}]*\}\}")

pytestmark = pytest.mark.skipif(not FOLDER, reason="TENSORFLOW_SERVING_GOLDEN names no folder with recorded answers")


def _recorded(api: str) -> list[dict[str, Any]]:
    if not FOLDER:
        return []
    lines = (Path(FOLDER) / "answers.jsonl").read_text().splitlines()
    return [answer for answer in map(json.loads, lines) if answer["api"] == api]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    folder = Path(FOLDER or "")
    config = tmp_path_factory.mktemp("golden") / "toy.config"
    config.write_text((folder / "toy.config").read_text().replace("@GOLDEN@", str(folder.resolve())))
    flags = [f"--model_config_file={config}", "--allow_version_labels_for_unavailable_models", "--grpc_max_threads=64"]
    with model_server(*flags) as running:
        yield running


@pytest.mark.parametrize("answer", _recorded("grpc"), ids=lambda answer: answer["name"])
def test_answers_over_grpc_as_the_real_server(server: ModelServer, answer: dict[str, Any]) -> None:
    request_type, response_type = METHODS[answer["method"].rpartition("/")[2]]
    request = json_format.ParseDict(answer["request"], request_type())
    with grpc.insecure_channel(server.address) as channel:
        call = channel.unary_unary(
            answer["method"], request_type.SerializeToString, response_deserializer=response_type.FromString
        )
        if answer["code"] == "OK":
            expected = json_format.ParseDict(answer["response"], response_type())
            assert _without_order(call(request)) == _without_order(expected)
        else:
            with pytest.raises(grpc.RpcError) as caught:
                call(request)
            assert caught.value.code().name == answer["code"]
            assert PLACE.sub("", caught.value.details()) == PLACE.sub("", answer["message"])


@pytest.mark.parametrize("answer", _recorded("rest"), ids=lambda answer: answer["name"])
def test_answers_over_rest_as_the_real_server(server: ModelServer, answer: dict[str, Any]) -> None:
    found = Rest(server.rest_port).ask(answer["method"], answer["path"], answer["body"])
    assert found.status == answer["status"]
    assert found.content_type == answer["content_type"]
    if found.content_type == "application/json":
        assert json.loads(PLACE.sub("", found.text)) == json.loads(PLACE.sub("", answer["response"]))
    assert _layout(found.text) == _layout(answer["response"])


def _without_order(message: Any) -> Any:
    """As dictionaries: maps have no order, neither does the map inside an Any."""
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def _layout(text: str) -> list[str]:
    """The lines in an order of their own: the members of an object that stands for a map have none."""
    return sorted(line.rstrip(",") for line in PLACE.sub("", text).split("\n"))
