"""What HandleReloadConfigRequest refuses, with which words, and what a refusal leaves behind."""

import pytest
from tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest, ReloadConfigResponse
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from tests.model_server.scene import Scene, model, refusal
from tests.model_server.toy import Publish

NOT_A_LIST = (
    "INVALID_ARGUMENT",
    "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported",
)


@pytest.fixture
def stage(changing: Scene, fixed: ModelConfig) -> Scene:
    """Only `kept` is configured."""
    changing.reload(fixed)
    return changing


@pytest.fixture(scope="module")
def fixed(changing: Scene, publish: Publish) -> ModelConfig:
    """The configuration of `kept`, with version 1."""
    publish(changing.base_path("kept"), 1)
    return model("kept", changing.folder / "kept")


@pytest.mark.parametrize(
    ("models", "message"),
    [
        pytest.param(
            [model("kept", "/a"), model("x", "/b"), model("x", "/c")],
            "Illegal to list model x multiple times in config list",
            id="a name twice",
        ),
        pytest.param(
            [model("kept", "/a"), model("x", "b/c")],
            "Expected model x to have an absolute path or URI; got base_path()=b/c",
            id="relative base path",
        ),
        pytest.param(
            [model("kept", "/a"), model("x", "")],
            "Expected model x to have an absolute path or URI; got base_path()=",
            id="no base path",
        ),
        pytest.param(
            [model("kept", "/a"), model("x", "c:/b")],
            "Expected model x to have an absolute path or URI; got base_path()=c:/b",
            id="a colon makes no URI",
        ),
        pytest.param(
            [model("kept", "/a", model_platform="onnx")],
            "Illegal to change a model's platform. For model kept platform was tensorflow and new platform requested "
            "is onnx",
            id="another platform",
        ),
        pytest.param(
            [model("kept", "/a", model_platform="")],
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            "ModelServerConfig::model_platform, model name is kept",
            id="no platform",
        ),
        pytest.param(
            [model("kept", "/a", model_type=1)],
            "Illegal setting both ModelServerConfig::model_type (deprecated) and "
            "ModelServerConfig::model_platform, model name is kept",
            id="platform and type",
        ),
        pytest.param(
            [model("kept", "/a", model_platform="", model_type=2)],
            "ModelServerConfig::model_type choice 2 not supported.",
            id="another type",
        ),
        pytest.param(
            [model("kept", "/a"), model("x", "/b", model_platform="onnx")],
            "Model x requests unsupported platform onnx",
            id="unsupported platform",
        ),
    ],
)
def test_refuses_a_list(stage: Scene, models: list[ModelConfig], message: str) -> None:
    assert stage.refused(*models) == ("INVALID_ARGUMENT", message)
    assert stage.client.ask("kept", 4) == (1, 3)


def test_the_deprecated_model_type_still_works(stage: Scene, fixed: ModelConfig, publish: Publish) -> None:
    publish(stage.base_path("typed"), 1)
    typed = model("typed", stage.folder / "typed", model_platform="", model_type=1)
    stage.reload(fixed, typed)
    # It is the same platform by another name.
    stage.reload(fixed, model("typed", stage.folder / "typed"))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(ReloadConfigRequest(), id="no configuration"),
        pytest.param(ReloadConfigRequest(config=ModelServerConfig()), id="an empty one"),
        pytest.param(
            ReloadConfigRequest(
                config=ModelServerConfig(custom_model_config=ModelServerConfig().custom_model_config.__class__())
            ),
            id="a custom one",
        ),
    ],
)
def test_refuses_all_but_a_list(stage: Scene, request_: ReloadConfigRequest) -> None:
    call = stage.client.call("ModelService/HandleReloadConfigRequest", request_, ReloadConfigResponse)
    assert refusal(call) == NOT_A_LIST


def test_a_list_that_was_refused_late_is_what_the_next_one_is_compared_with(
    stage: Scene, fixed: ModelConfig, publish: Publish
) -> None:
    publish(stage.base_path("odd"), 1)
    odd = model("odd", stage.folder / "odd", model_platform="onnx")
    assert stage.refused(fixed, odd) == ("INVALID_ARGUMENT", "Model odd requests unsupported platform onnx")
    corrected = model("odd", stage.folder / "odd")
    assert stage.refused(fixed, corrected) == (
        "INVALID_ARGUMENT",
        "Illegal to change a model's platform. For model odd platform was onnx and new platform requested is "
        "tensorflow",
    )
    stage.reload(fixed)
    stage.reload(fixed, corrected)
    assert stage.client.ask("odd", 4) == (1, 3)


def test_labels_are_looked_at_before_platforms(stage: Scene, fixed: ModelConfig) -> None:
    both = model("both", "/a", labels={"stable": 1}, model_platform="onnx")
    message = "Request to assign label to version 1 of model both, which is not currently available for inference"
    assert stage.refused(fixed, both) == ("FAILED_PRECONDITION", message)


def test_request_logging_is_refused_when_the_models_are_loaded_already(
    stage: Scene, fixed: ModelConfig, publish: Publish
) -> None:
    publish(stage.base_path("logged"), 1)
    logged = model("logged", stage.folder / "logged")
    logged.logging_config.SetInParent()
    assert stage.refused(fixed, logged) == ("INVALID_ARGUMENT", "No request-logger-creator provided.")
    assert stage.client.ask("logged", 4) == (1, 3)
