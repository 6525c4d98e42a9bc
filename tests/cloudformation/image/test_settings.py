"""What user data may say to an instance."""

import re
from pathlib import Path

import pytest

from cloudformation.image.instance.errors import InstanceError
from cloudformation.image.instance.settings import InstanceSettings, read_settings
from cloudformation.template.files import TEMPLATES

LEAST = "DEPLOYMENT=intent\nREADY_SECONDS=240\n"


def read(folder: Path, text: str) -> InstanceSettings:
    file = folder / "instance.env"
    file.write_text(text)
    return read_settings(file)


def test_the_least_that_an_instance_must_know(tmp_path: Path) -> None:
    assert read(tmp_path, LEAST) == InstanceSettings("intent", 240)


def test_empty_values_are_as_good_as_none(tmp_path: Path) -> None:
    assert read(tmp_path, LEAST + "KEYS_SECRET=\nKEYS_PARAMETER=\nHOOK=\nASG=\n") == InstanceSettings("intent", 240)


def test_names_of_a_newer_template_are_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, LEAST + "NOT_INVENTED_YET=1\n") == InstanceSettings("intent", 240)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("READY_SECONDS=240\n", "DEPLOYMENT"),
        ("DEPLOYMENT=intent\n", "READY_SECONDS"),
        ("DEPLOYMENT=intent\nREADY_SECONDS=soon\n", "READY_SECONDS=soon"),
        ("DEPLOYMENT=intent\nREADY_SECONDS=0\n", "READY_SECONDS=0"),
        (LEAST + "REGION=r\nHOOK=ready\n", "ASG"),
        (LEAST + "REGION=r\nSTACK=s\nRESOURCE=r\n", "TARGET_GROUP_ARN"),
        (LEAST + "KEYS_SECRET=s\n", "REGION"),
        (LEAST + "REGION=r\nKEYS_SECRET=s\nKEYS_PARAMETER=p\n", "KEYS_PARAMETER and KEYS_SECRET"),
        (LEAST + "what is this\n", "what is this"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(InstanceError, match=re.escape(named)):
        read(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=r"instance\.env: No such file"):
        read_settings(tmp_path / "instance.env")


def test_the_template_writes_what_an_instance_reads(tmp_path: Path) -> None:
    written = re.search(r"<<'END'\n(.*?)^ *END$", TEMPLATES["service"].read_text(), re.DOTALL | re.MULTILINE)
    assert written
    values = {"HookSeconds": "240", "ApiKeysSecret": "keys", "ApiKeysParameter": ""}
    text = re.sub(r"\$\{(.*?)\}", lambda found: values.get(found[1], "x"), written[1])
    settings = read(tmp_path, "\n".join(line.strip() for line in text.splitlines()))
    assert settings == InstanceSettings(
        deployment="x",
        ready_seconds=240,
        region="x",
        asg="x",
        hook="ready",
        stack="x",
        resource="AutoScalingGroup",
        target_group_arn="x",
        keys_secret="keys",
        log_group="x",
    )
