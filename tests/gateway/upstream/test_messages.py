"""messages.binpb is what tensorflow-serving-api says, and the gateway needs no TensorFlow to use it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.upstream import messages
from tests.servers import ROOT


def test_the_file_is_what_the_command_makes_now(tmp_path: Path) -> None:
    output = tmp_path / "messages.binpb"
    subprocess.run([sys.executable, "-m", "serving_config", "messages", f"--output={output}"], cwd=ROOT, check=True)
    assert output.read_bytes() == messages.DESCRIPTORS.read_bytes()


def _fill_predict(request) -> None:
    request.model_spec.name = "intent"
    request.model_spec.version.value = 7
    request.model_spec.signature_name = "serving_default"
    tensor = request.inputs["text"]
    tensor.dtype = 7
    tensor.tensor_shape.dim.add().size = 2
    tensor.string_val.extend(["naïve".encode(), b""])
    indices = request.inputs["label_index"]
    indices.dtype = 9
    indices.int64_val.extend([0, -1, 2**40])
    request.output_filter.extend(["label_index", "probabilities"])


def _fill_metadata(request) -> None:
    request.model_spec.name = "intent"
    request.model_spec.version.value = 1
    request.metadata_field.append("signature_def")


def _fill_status(request) -> None:
    request.model_spec.name = "intent"


def _fill_status_response(response) -> None:
    state = response.model_version_status.add(version=3, state=30)
    state.status.error_code = 5
    state.status.error_message = "gone"


@pytest.mark.parametrize(
    ("name", "fill"),
    [
        ("PredictRequest", _fill_predict),
        ("PredictResponse", lambda it: it.outputs["probabilities"].float_val.extend([0.25, 0.75])),
        ("GetModelMetadataRequest", _fill_metadata),
        ("GetModelMetadataResponse", lambda it: it.metadata["signature_def"].MergeFromString(b"\x0a\x01x")),
        ("SignatureDefMap", lambda it: it.signature_def["a"].outputs["b"].tensor_shape.dim.add(size=11)),
        ("GetModelStatusRequest", _fill_status),
        ("GetModelStatusResponse", _fill_status_response),
    ],
)
def test_messages_are_the_official_ones_byte_for_byte(name: str, fill) -> None:
    from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

    modules = (predict_pb2, get_model_metadata_pb2, get_model_status_pb2)
    official = next(getattr(module, name) for module in modules if hasattr(module, name))()
    ours = getattr(messages, name)()
    fill(official)
    fill(ours)
    content = ours.SerializeToString(deterministic=True)
    assert content
    assert content == official.SerializeToString(deterministic=True)
    assert type(ours).FromString(content) == ours


def test_data_types_are_the_official_numbers() -> None:
    from tensorflow.core.framework import types_pb2

    assert (messages.DT_FLOAT, messages.DT_STRING, messages.DT_INT64) == (
        types_pb2.DT_FLOAT,
        types_pb2.DT_STRING,
        types_pb2.DT_INT64,
    )


def test_the_whole_gateway_imports_no_tensorflow_and_no_other_folder() -> None:
    code = (
        "import json, pkgutil, sys, gateway\n"
        "for module in pkgutil.iter_modules(gateway.__path__, 'gateway.'): __import__(module.name)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    imported = set(json.loads(printed))
    assert {"gateway", "grpc", "aiohttp"} <= imported
    assert not imported & {"tensorflow", "tensorflow_serving", "numpy", "training", "export", "serving_config"}
