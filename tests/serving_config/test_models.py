"""The models of the configuration, moved to this machine."""

from pathlib import Path

import pytest

from model_server.config.protos import ModelServerConfig
from serving_config.errors import ConfigFileError, NoVersionError
from serving_config.files import ConfigFiles, read
from serving_config.models import choose, resolve


def test_paths_under_the_stock_root_move_and_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    for version in (tmp_path / "local" / "team" / "intent" / "7", elsewhere / "007"):
        version.mkdir(parents=True)
    (tmp_path / "models.config").write_text(
        'model_config_list { config { name: "intent" base_path: "/models/team/intent" model_platform: "tensorflow" '
        "model_version_policy { latest { num_versions: 2 } } }\n"
        f'config {{ name: "other" base_path: "{elsewhere}" model_platform: "tensorflow" }}\n'
        'config { name: "remote" base_path: "s3://bucket/remote" model_platform: "tensorflow" } }'
    )
    monkeypatch.chdir(tmp_path)
    names = resolve(ConfigFiles(tmp_path), Path("local"), tmp_path / "run" / "models.config")
    assert names == ["intent", "other", "remote"]
    models = read(tmp_path / "run" / "models.config", ModelServerConfig()).model_config_list.config
    paths = [str(tmp_path / "local" / "team" / "intent"), str(elsewhere), "s3://bucket/remote"]
    assert [model.base_path for model in models] == paths
    assert models[0].model_version_policy.latest.num_versions == 2


@pytest.mark.parametrize("children", [None, [], ["1.writing", "v2", "tmp"]], ids=["missing", "empty", "no numbers"])
def test_a_model_without_a_version_is_refused_with_the_command_that_makes_one(
    tmp_path: Path, children: list[str] | None
) -> None:
    for child in children or []:
        (tmp_path / "intent" / child).mkdir(parents=True)
    if children == []:
        (tmp_path / "intent").mkdir()
    target = tmp_path / "run" / "models.config"
    with pytest.raises(NoVersionError) as caught:
        resolve(ConfigFiles(), tmp_path, target)
    base_path = tmp_path / "intent"
    assert str(caught.value) == (
        f"model intent has no version under {base_path}; make one with `make train`, or with "
        f"`python -m export publish --classifier DIR --models {base_path}`"
    )
    assert not target.exists()


@pytest.mark.parametrize(
    ("names", "variable", "expected"),
    [(["intent"], "", "intent"), (["a", "b"], "b", "b"), (["a"], "a", "a")],
)
def test_the_gateway_asks_the_only_model_or_the_one_that_is_named(
    names: list[str], variable: str, expected: str
) -> None:
    assert choose(names, Path("models.config"), {"GATEWAY_MODEL_NAME": variable}) == expected


def test_no_choice_and_a_wrong_one_are_refused() -> None:
    with pytest.raises(ConfigFileError, match=r"^models.config: lists a, b, and a gateway asks one model: choose it"):
        choose(["a", "b"], Path("models.config"), {})
    with pytest.raises(ConfigFileError, match=r"^models.config: lists a, but GATEWAY_MODEL_NAME is c; set it to"):
        choose(["a"], Path("models.config"), {"GATEWAY_MODEL_NAME": "c"})
