"""Files are written whole or not at all."""

from pathlib import Path

import pytest

from model_server.config.protos import ModelServerConfig
from serving_config.errors import ConfigFileError
from serving_config.files import read, write, write_bytes


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    config = ModelServerConfig()
    config.model_config_list.config.add(name="intent", base_path='/a folder/with "quotes"')
    path = tmp_path / "new" / "models.config"
    write(path, config)
    assert read(path, ModelServerConfig()) == config
    assert [each.name for each in path.parent.iterdir()] == ["models.config"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with pytest.raises(TypeError):
        write_bytes(path, "no bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_reading_names_the_line_of_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "models.config"
    path.write_text("# one\nmodel_config_list {\n  config { nmae: 'x' }\n}\n")
    with pytest.raises(ConfigFileError, match=r'models\.config:3: .* no field named "nmae"'):
        read(path, ModelServerConfig())
