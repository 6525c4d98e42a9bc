"""Which model server is chosen."""

import sys
from pathlib import Path

import pytest

from serving_config.binary import model_server_command
from serving_config.errors import BinaryNotFoundError


def _program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_the_embedded_server_is_the_default(tmp_path: Path) -> None:
    assert model_server_command({"PATH": str(tmp_path)}) == [sys.executable, "-m", "model_server"]


def test_the_stock_binary_on_path_comes_before_it(tmp_path: Path) -> None:
    stock = _program(tmp_path / "tensorflow_model_server")
    assert model_server_command({"PATH": str(tmp_path)}) == [str(stock)]


def test_the_variable_decides(tmp_path: Path) -> None:
    _program(tmp_path / "path" / "tensorflow_model_server")
    named = _program(tmp_path / "elsewhere" / "server")
    environment = {"PATH": str(tmp_path / "path"), "TENSORFLOW_MODEL_SERVER": str(named)}
    assert model_server_command(environment) == [str(named)]


@pytest.mark.parametrize("kind", ["missing", "not executable", "directory"])
def test_a_variable_that_names_no_program_is_an_error(tmp_path: Path, kind: str) -> None:
    named = tmp_path / "server"
    if kind == "not executable":
        _program(named, 0o644)
    elif kind == "directory":
        named.mkdir()
    with pytest.raises(BinaryNotFoundError) as caught:
        model_server_command({"TENSORFLOW_MODEL_SERVER": str(named)})
    message = f"TENSORFLOW_MODEL_SERVER={named} is not an executable file; unset it for the default"
    assert str(caught.value) == message
