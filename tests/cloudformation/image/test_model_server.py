"""The model server's command line on an instance."""

import os
import subprocess
import sys
from pathlib import Path

from serving_config import command
from serving_config.files import ConfigFiles
from tests.servers import ROOT


def test_it_becomes_the_named_server_with_the_flags_that_all_use(tmp_path: Path, monkeypatch) -> None:
    server = tmp_path / "tensorflow_model_server"
    server.write_text('#!/bin/sh\nprintf "%s\\n" $$ "$0" "$@"\n')
    server.chmod(0o755)
    monkeypatch.setenv("TENSORFLOW_MODEL_SERVER", str(server))
    words = [sys.executable, "-m", "cloudformation.image.instance", "model-server"]
    process = subprocess.Popen(words, cwd=ROOT, text=True, stdout=subprocess.PIPE, env=os.environ)
    said = process.communicate()[0].splitlines()
    files = ConfigFiles(ROOT / "serving_config")
    expected = command.model_server(files, files.models, command.Ports(gateway=5000, grpc=8500, rest=8501))
    # The same process: systemd's limits, signals and restarts go to the server itself.
    assert said == [str(process.pid), *expected]
