"""Version labels: to which versions they may point, and that they move all at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from tests.model_server.client import Client, predict_request
from tests.model_server.scene import Refusal, Scene, listed, model, refusal, scene, write
from tests.model_server.toy import Publish

NAMES = ("red", "blue")


def labelled(folder: Path, **labels: dict[str, int]) -> list[ModelConfig]:
    """Models `red` and `blue`, all versions, with these labels."""
    return [model(name, folder / name, "all {}", labels.get(name, {})) for name in NAMES]


def publish_both(folder: Path, publish: Publish) -> None:
    for name in NAMES:
        (folder / name).mkdir()
        for version in (1, 2):
            publish(folder / name, version)


def by_label(client: Client, name: str, label: str, x: float = 4) -> int | Refusal:
    """The version that a label leads to, or what is said against it."""
    call = client.start_predict(predict_request({"x": np.float32([x])}, name=name, version_label=label))
    if call.exception():
        return refusal(call)
    answer = call.result()
    assert answer.outputs["y"].float_val == [x / 2 + answer.model_spec.version.value]
    assert answer.model_spec.version_label == ""
    return int(answer.model_spec.version.value)


def unavailable(name: str, version: int) -> Refusal:
    message = f"Request to assign label to version {version} of model {name}, which is not currently available for "
    return "FAILED_PRECONDITION", message + "inference"


def unknown(label: str) -> Refusal:
    return "INVALID_ARGUMENT", f"Unrecognized servable version label: {label}"


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("labels")
    publish_both(folder, publish)
    flag = write(folder / "models.config", listed(*labelled(folder)))
    with scene(folder, flag, "--enable_batching") as found:
        yield found


@pytest.fixture
def strict(strict_server: Scene) -> Scene:
    """Two models with two versions each and no labels; labels may point to available versions only."""
    strict_server.reload(*labelled(strict_server.folder))
    for name in NAMES:
        strict_server.client.wait_for(name, v1="AVAILABLE", v2="AVAILABLE")
    return strict_server


@pytest.fixture(scope="module")
def lenient_server(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("lenient")
    publish_both(folder, publish)
    models = labelled(folder, red={"stable": 1, "future": 9}, blue={"stable": 2})
    flag = write(folder / "models.config", listed(*models))
    with scene(folder, flag, "--allow_version_labels_for_unavailable_models") as found:
        for name in NAMES:
            found.client.wait_for(name, v1="AVAILABLE", v2="AVAILABLE")
        # What the start has set, before any test changes it.
        assert by_label(found.client, "red", "stable") == 1
        assert by_label(found.client, "blue", "stable") == 2
        assert by_label(found.client, "red", "future") == (
            "NOT_FOUND",
            "Servable not found for request: Specific(red, 9)",
        )
        yield found


@pytest.fixture
def lenient(lenient_server: Scene) -> Scene:
    """As `strict`, but a new label may point anywhere."""
    lenient_server.reload(*labelled(lenient_server.folder))
    return lenient_server


def test_labels_lead_to_available_versions(strict: Scene) -> None:
    strict.reload(*labelled(strict.folder, red={"stable": 1, "canary": 2, "newest": 2}, blue={"stable": 2}))
    assert by_label(strict.client, "red", "stable") == 1
    assert by_label(strict.client, "red", "canary") == 2
    assert by_label(strict.client, "red", "newest") == 2
    assert by_label(strict.client, "blue", "stable") == 2


@pytest.mark.parametrize("name", ["red", "nobody"])
def test_an_unknown_label_is_named_whether_or_not_the_model_exists(strict: Scene, name: str) -> None:
    assert by_label(strict.client, name, "nope") == unknown("nope")


def test_a_label_belongs_to_its_model(strict: Scene) -> None:
    strict.reload(*labelled(strict.folder, red={"stable": 1}))
    assert by_label(strict.client, "blue", "stable") == unknown("stable")


def test_labels_that_are_left_out_vanish(strict: Scene) -> None:
    strict.reload(*labelled(strict.folder, red={"stable": 1, "canary": 2}))
    strict.reload(*labelled(strict.folder, red={"canary": 1}))
    assert by_label(strict.client, "red", "stable") == unknown("stable")
    assert by_label(strict.client, "red", "canary") == 1


def test_labels_of_a_removed_model_vanish(strict: Scene) -> None:
    strict.reload(*labelled(strict.folder, red={"stable": 1}))
    strict.reload(*labelled(strict.folder)[1:])
    assert by_label(strict.client, "red", "stable") == unknown("stable")
    # A model that comes back while it still goes is another story.
    strict.client.wait_for("red", v1="END", v2="END")


def test_status_does_not_look_at_labels(strict: Scene) -> None:
    assert [one.version for one in strict.client.status(name="red", version_label="nope")] == [2, 1]


def test_one_label_that_is_refused_keeps_all_as_they_were(strict: Scene) -> None:
    strict.reload(*labelled(strict.folder, red={"stable": 1}, blue={"stable": 1}))
    wrong = labelled(strict.folder, red={"stable": 2, "canary": 2}, blue={"stable": 3})
    assert strict.refused(*wrong) == unavailable("blue", 3)
    assert by_label(strict.client, "red", "stable") == 1
    assert by_label(strict.client, "red", "canary") == unknown("canary")
    assert by_label(strict.client, "blue", "stable") == 1


def test_models_of_a_list_that_is_refused_for_a_label_stay_as_they_were(strict: Scene, publish: Publish) -> None:
    publish(strict.base_path("third"), 1)
    red = labelled(strict.folder, red={"stable": 7})[0]
    assert strict.refused(red, model("third", strict.folder / "third")) == unavailable("red", 7)
    assert strict.client.ask("blue", 4) == (2, 4)
    assert strict.client.states("third") == {}


def test_a_label_for_a_version_that_the_same_list_brings_is_refused(strict: Scene, publish: Publish) -> None:
    publish(strict.base_path("fresh"), 1)
    fresh = model("fresh", strict.folder / "fresh", labels={"stable": 1})
    assert strict.refused(*labelled(strict.folder), fresh) == unavailable("fresh", 1)
    fresh.ClearField("version_labels")
    strict.reload(*labelled(strict.folder), fresh)
    fresh.version_labels["stable"] = 1
    strict.reload(*labelled(strict.folder), fresh)
    assert by_label(strict.client, "fresh", "stable") == 1


def test_a_label_to_a_version_that_was_unloaded_later_leads_nowhere(strict: Scene) -> None:
    strict.reload(*labelled(strict.folder, red={"stable": 1}))
    red, blue = labelled(strict.folder, red={"stable": 1})
    red.model_version_policy.specific.versions.append(2)
    strict.reload(red, blue)
    strict.client.wait_for("red", v1="END", v2="AVAILABLE")
    expected = ("NOT_FOUND", "Servable not found for request: Specific(red, 1)")
    assert by_label(strict.client, "red", "stable") == expected
    # It is the same list, but the version is not available any more.
    assert strict.refused(red, blue) == unavailable("red", 1)


def test_a_new_label_may_point_to_a_version_that_comes_later(lenient: Scene, publish: Publish) -> None:
    lenient.reload(*labelled(lenient.folder, blue={"next": 3}))
    expected = ("NOT_FOUND", "Servable not found for request: Specific(blue, 3)")
    assert by_label(lenient.client, "blue", "next") == expected
    publish(lenient.folder / "blue", 3)
    lenient.client.wait_for("blue", v3="AVAILABLE")
    assert by_label(lenient.client, "blue", "next") == 3


def test_an_existing_label_moves_to_available_versions_only(lenient: Scene) -> None:
    lenient.reload(*labelled(lenient.folder, red={"stable": 1, "future": 9}))
    assert lenient.refused(*labelled(lenient.folder, red={"stable": 8, "future": 9})) == unavailable("red", 8)
    assert lenient.refused(*labelled(lenient.folder, red={"stable": 1, "future": 8})) == unavailable("red", 8)
    # It stays where it was, be that version available or not.
    lenient.reload(*labelled(lenient.folder, red={"stable": 2, "future": 9}))
    assert by_label(lenient.client, "red", "stable") == 2


def test_a_label_that_was_taken_away_is_new_again(lenient: Scene) -> None:
    lenient.reload(*labelled(lenient.folder, red={"stable": 1}))
    lenient.reload(*labelled(lenient.folder))
    lenient.reload(*labelled(lenient.folder, red={"stable": 8}))
    assert by_label(lenient.client, "red", "stable")[0] == "NOT_FOUND"


def test_a_new_model_may_come_with_its_labels(lenient: Scene, publish: Publish) -> None:
    publish(lenient.base_path("green"), 1)
    lenient.reload(*labelled(lenient.folder), model("green", lenient.folder / "green", labels={"stable": 1}))
    assert by_label(lenient.client, "green", "stable") == 1


def test_labels_of_two_models_move_at_once_under_traffic(strict: Scene) -> None:
    """No request fails, whoever shares its batch, and who asks after the reload gets the new version only."""
    versions = {"red": {"stable": 1, "canary": 2}, "blue": {"stable": 2, "canary": 1}}
    swapped = {name: {"stable": labels["canary"], "canary": labels["stable"]} for name, labels in versions.items()}
    strict.reload(*labelled(strict.folder, **versions))
    stop = threading.Event()

    def ask(name: str, label: str, start: int) -> list[int | Refusal]:
        answers: list[int | Refusal] = []
        while not stop.is_set():
            # No two that run at the same time ask with the same number.
            answers.append(by_label(strict.client, name, label, start + 10 * (len(answers) % 1000)))
        return answers

    pairs = [(name, label) for name in NAMES for label in ("stable", "canary")]
    with ThreadPoolExecutor(2 * len(pairs)) as threads:
        asking = [threads.submit(ask, *pair, start) for start, pair in enumerate(pairs * 2)]
        try:
            for now in (swapped, versions) * 10:
                strict.reload(*labelled(strict.folder, **now))
                assert {pair: by_label(strict.client, *pair) for pair in pairs} == {
                    (name, label): now[name][label] for name, label in pairs
                }
        finally:
            stop.set()
    answers = [answer for thread in asking for answer in thread.result()]
    assert set(answers) <= {1, 2}
    assert len(answers) > len(pairs)
