"""`rollback`: the service gets back the release that it served before, and nothing else changes."""

from pathlib import Path

import pytest

from tests.cloudformation.operate.test_update import given, last_change
from tests.cloudformation.played.operating import Command, put_version
from tests.cloudformation.played.played_aws import PlayedAws


@pytest.fixture
def updated(deployed: PlayedAws, models: Path, run: Command) -> PlayedAws:
    """The account after an update to model version 2."""
    assert run("update", "--yes", "--models", models).status == 0
    return deployed


def serving(aws: PlayedAws) -> str:
    """The model version that the service was told to run."""
    return aws.parameters("intent-service")["ImageParameter"].removeprefix("/intent/images/").split("-")[0]


def test_back_and_forth(updated: PlayedAws, models: Path, run: Command) -> None:
    before = updated.parameters("intent-service")
    done = run("rollback", typed="y\n")
    assert done.status == 0, done
    assert serving(updated) == "1"
    changed = {name for name, value in updated.parameters("intent-service").items() if before[name] != value}
    assert changed == {"ImageParameter", "RolloutAlarms"}
    # The release before the one that runs now is the one that was left.
    assert run("rollback", "--yes").status == 0
    assert serving(updated) == "2"


def test_neither_template_nor_alarms_come_along(updated: PlayedAws, run: Command) -> None:
    assert run("rollback", "--yes").status == 0
    change = last_change(updated)
    assert change["UsePreviousTemplate"] == "true" or change["UsePreviousTemplate"] is True
    assert "TemplateBody" not in change
    assert not change["RollbackConfiguration"].get("RollbackTriggers")
    assert {name for name, value in given(change).items() if value is not None} == {"ImageParameter", "RolloutAlarms"}
    # The next update is guarded again.
    assert run("update", "--yes", "--keep-release").status == 0
    assert updated.parameters("intent-service")["RolloutAlarms"] == "yes"


def test_an_alarm_that_rings_is_a_reason_not_an_obstacle(updated: PlayedAws, run: Command) -> None:
    alarm = updated.outputs("intent-balancer")["RolloutAlarmNames"].split(",")[0]
    updated.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="5xx")
    assert run("rollback", "--yes").status == 0
    assert serving(updated) == "1"


def test_to_a_release_by_name(updated: PlayedAws, models: Path, run: Command) -> None:
    put_version(models, 3)
    assert run("update", "--yes", "--models", models).status == 0
    oldest = next(
        each["Name"].rpartition("/")[2]
        for each in updated.client("ssm").get_parameters_by_path(Path="/intent/images/")["Parameters"]
        if "/1-" in each["Name"]
    )
    assert run("rollback", "--yes", "--release", oldest).status == 0
    assert serving(updated) == "1"
    # From there, "before" is what served, not what is next by age.
    assert run("rollback", "--yes").status == 0
    assert serving(updated) == "3"


def test_shown_only_or_declined(updated: PlayedAws, run: Command) -> None:
    assert run("rollback", "--no-execute").status == 3
    assert run("rollback", typed="n\n").status == 3
    assert serving(updated) == "2"


def test_without_a_release_before(deployed: PlayedAws, run: Command) -> None:
    done = run("rollback", "--yes")
    assert done.status == 1
    assert "no release has served before 1-" in done.err
    done = run("rollback", "--yes", "--release", "7-000000000000")
    assert done.status == 1
    assert "there are: 1-" in done.err
