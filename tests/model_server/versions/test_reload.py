"""ModelService.HandleReloadConfigRequest: a new configuration is total; in which order it is checked and applied."""

import numpy as np
import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from tests.model_server.client import predict_request
from tests.model_server.gate import running
from tests.model_server.scene import MISSING, Scene, listed, model, refusal
from tests.model_server.toy import Publish


@pytest.fixture
def stage(changing: Scene, fixed: ModelConfig) -> Scene:
    """Only `fixed` is configured."""
    changing.reload(fixed)
    return changing


@pytest.fixture(scope="module")
def fixed(changing: Scene, publish: Publish) -> ModelConfig:
    """The configuration of a model that stays, with version 1."""
    publish(changing.base_path("fixed"), 1)
    return model("fixed", changing.folder / "fixed")


def test_a_new_model_serves_when_the_call_returns(stage: Scene, fixed: ModelConfig, publish: Publish) -> None:
    publish(stage.base_path("new"), 2)
    response = stage.reload(fixed, model("new", stage.folder / "new"))
    assert response.HasField("status")
    assert (response.status.error_code, response.status.error_message) == (0, "")
    assert not response.metric
    assert stage.client.ask("new", 4) == (2, 4)
    assert stage.client.ask("fixed", 4) == (1, 3)


def test_answers_for_each_metric_that_is_asked_for(stage: Scene, fixed: ModelConfig) -> None:
    response = stage.client.start_reload(listed(fixed), "/no/such/metric", "/no/such/metric").result()
    metrics = [(metric.name, metric.WhichOneof("value_increase")) for metric in response.metric]
    assert metrics == [("/no/such/metric", "int64_value_increase")] * 2
    assert {metric.int64_value_increase for metric in response.metric} == {0}


def test_tells_by_how_much_a_metric_rose(stage: Scene, fixed: ModelConfig, publish: Publish) -> None:
    publish(stage.base_path("counted"), 1)
    request = listed(fixed, model("counted", stage.folder / "counted"))
    attempts = "/tensorflow/cc/saved_model/load_attempt_count"
    (metric,) = stage.client.start_reload(request, attempts).result().metric
    assert (metric.name, metric.int64_value_increase) == (attempts, 1)


def test_a_model_that_is_left_out_is_unloaded_and_stays_listed(
    stage: Scene, fixed: ModelConfig, publish: Publish
) -> None:
    publish(stage.base_path("left"), 1)
    stage.reload(fixed, model("left", stage.folder / "left"))
    stage.reload(fixed)
    stage.client.wait_for("left", v1="END")
    (ended,) = stage.client.status(name="left")
    assert (ended.status.error_code, ended.status.error_message) == (0, "")
    assert stage.unserved("left") == ("NOT_FOUND", "Servable not found for request: Latest(left)")


def test_does_not_wait_for_models_that_go(stage: Scene, fixed: ModelConfig, publish: Publish) -> None:
    publish(stage.base_path("goes"), 1)
    stage.reload(fixed, model("goes", stage.folder / "goes"))
    with running(stage.client, stage.folder / "goes.pipe", name="goes") as request:
        stage.reload(fixed)
        stage.client.wait_for("goes", v1="UNLOADING")
        assert stage.unserved("goes")[0] == "NOT_FOUND"
        request.finish()
    stage.client.wait_for("goes", v1="END")


def test_a_model_that_comes_back_is_waited_for_again(stage: Scene, fixed: ModelConfig, publish: Publish) -> None:
    """That its version ended once says nothing about now."""
    publish(stage.base_path("back"), 1)
    for _ in range(3):
        stage.reload(fixed, model("back", stage.folder / "back"))
        assert stage.client.ask("back", 4) == (1, 3)
        stage.reload(fixed)
        stage.client.wait_for("back", v1="END")


def test_a_model_that_comes_back_while_it_goes_counts_as_ended(
    stage: Scene, fixed: ModelConfig, publish: Publish
) -> None:
    """The waiting call sees the end of the old one first; the model is loaded again nevertheless."""
    publish(stage.base_path("soon"), 1)
    stage.reload(fixed, model("soon", stage.folder / "soon"))
    with running(stage.client, stage.folder / "soon.pipe", name="soon") as request:
        stage.reload(fixed)
        stage.client.wait_for("soon", v1="UNLOADING")
        policy = f"specific {{ versions: 1 versions: {MISSING} }}"
        back = stage.client.start_reload(listed(fixed, model("soon", stage.folder / "soon", policy)))
        # By now the list is in force and the call waits.
        stage.wait_for_log(f"Version {MISSING} of servable soon")
        assert not back.done()
        request.finish()
    message = "1 model(s) did not become available: {{{name: soon version: 1}}, }"
    assert refusal(back) == ("UNKNOWN", message)
    stage.client.wait_for("soon", v1="AVAILABLE")


def test_does_not_wait_for_changes_of_a_configured_model(stage: Scene, fixed: ModelConfig, publish: Publish) -> None:
    publish(stage.base_path("moved"), 1)
    stage.reload(fixed, model("moved", stage.folder / "moved"))
    stage.reload(fixed, model("moved", stage.folder / "nowhere", "all {}"))
    assert stage.client.ask("moved", 4) == (1, 3)


def test_the_same_version_number_under_a_new_base_path_is_not_loaded_again(
    stage: Scene, fixed: ModelConfig, publish: Publish
) -> None:
    publish(stage.base_path("old"), 1)
    # Version 5 of the toy in a directory called 1.
    publish(stage.base_path("other"), 5).rename(stage.folder / "other" / "1")
    stage.reload(fixed, model("path", stage.folder / "old"))
    stage.reload(fixed, model("path", stage.folder / "other", "all {}"))
    publish(stage.folder / "other", 2)
    # By now the new base path has been looked at.
    stage.client.wait_for("path", v1="AVAILABLE", v2="AVAILABLE")
    answer = stage.client.predict(predict_request({"x": np.float32([4])}, name="path", version=1))
    assert list(answer.outputs["y"].float_val) == [3]


def test_another_version_number_under_a_new_base_path_takes_over(
    stage: Scene, fixed: ModelConfig, publish: Publish
) -> None:
    publish(stage.base_path("first"), 3)
    publish(stage.base_path("second"), 2)
    stage.reload(fixed, model("switched", stage.folder / "first"))
    stage.reload(fixed, model("switched", stage.folder / "second"))
    stage.client.wait_for("switched", v2="AVAILABLE", v3="END")
    assert stage.client.ask("switched", 4) == (2, 4)


def test_new_models_that_fail_are_all_named_and_the_rest_stays_in_force(
    stage: Scene, fixed: ModelConfig, publish: Publish
) -> None:
    for name in ("bad", "worse"):
        (stage.base_path(name) / "7").mkdir()
    publish(stage.base_path("good"), 1)
    names = ("worse", "bad", "good")
    reasons = "".join(
        f"{{{{name: {name} version: 7}} due to error: NOT_FOUND: Specified file path does not appear to contain a "
        "SavedModel bundle (should have a file called `saved_model.pb`)\n"
        f"Specified file path: {stage.folder / name / '7'}}}, "
        for name in ("bad", "worse")
    )
    models = [model(name, stage.folder / name) for name in names]
    assert stage.refused(fixed, *models) == ("UNKNOWN", f"2 model(s) did not become available: {{{reasons}}}")
    assert stage.client.ask("good", 4) == (1, 3)
    (ended,) = stage.client.status(name="bad")
    assert ended.status.error_code == 5
    assert ended.status.error_message.endswith("/bad/7")
    # They are configured now: the same list again has nothing new, and a higher version comes as usual.
    stage.reload(fixed, *models)
    publish(stage.folder / "bad", 8)
    stage.client.wait_for("bad", v8="AVAILABLE")


def test_a_new_model_without_a_base_path_holds_this_and_every_later_call(
    stage: Scene, fixed: ModelConfig, publish: Publish
) -> None:
    config = model("late", stage.folder / "late")
    first = stage.client.start_reload(listed(fixed, config))
    # Only once the first one is seen to wait: calls sent together may be taken in either order.
    stage.wait_for_log(f"Could not find base path {stage.folder / 'late'} for servable late")
    second = stage.client.start_reload(listed(fixed))
    assert stage.client.ask("fixed", 4) == (1, 3)
    assert not first.done()
    assert not second.done()
    stage.base_path("late")
    # Present, but still without a version.
    stage.wait_for_log(f"No versions of servable late found under base path {stage.folder / 'late'}.")
    assert not first.done()
    publish(stage.folder / "late", 1)
    first.result()
    second.result()
    stage.client.wait_for("late", v1="END")


def test_an_empty_list_unloads_everything(stage: Scene, fixed: ModelConfig) -> None:
    stage.reload()
    stage.client.wait_for("fixed", v1="END")
    assert stage.unserved("fixed") == ("NOT_FOUND", "Servable not found for request: Latest(fixed)")
    stage.reload(fixed)
    assert stage.client.ask("fixed", 4) == (1, 3)


def test_an_identical_list_is_accepted_again_and_again(stage: Scene, fixed: ModelConfig) -> None:
    for _ in range(5):
        stage.reload(fixed)
    assert stage.client.states("fixed") == {1: "AVAILABLE"}
