"""Becomes the model server, with the flags that serving_config renders on this machine."""

import os
from pathlib import Path
from typing import NoReturn

from serving_config import command
from serving_config.binary import VARIABLE
from serving_config.files import ConfigFiles

PORTS = command.Ports(gateway=5000, grpc=8500, rest=8501)


def become(release: Path) -> NoReturn:
    """Replaces this process; the unit's limits and its process id stay.

    The command line is the same as everywhere, over the configuration of this release. The models lie in /models,
    where the shipped models.config looks for them, so it is used as it is.

    Raises:
        BinaryNotFoundError: TENSORFLOW_MODEL_SERVER names no executable file, or nothing.
    """
    if not os.environ.get(VARIABLE):
        # Without it, the embedded server would be looked for, which is not on the image.
        os.environ[VARIABLE] = "/usr/bin/tensorflow_model_server"
    files = ConfigFiles(release / "serving_config")
    words = command.model_server(files, files.models, PORTS)
    os.execv(words[0], words)
