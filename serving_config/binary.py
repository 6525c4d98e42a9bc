"""Which model server runs: the stock binary or the embedded default.

The one place that knows. Tests, `python -m serving_config start` and the benchmarks all ask here.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from serving_config.errors import BinaryNotFoundError

VARIABLE = "TENSORFLOW_MODEL_SERVER"


def model_server_command(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The model server's program, as the first words of a command line; flags (`--name=value`) follow.

    `TENSORFLOW_MODEL_SERVER=/path/to/binary` decides; else `tensorflow_model_server` on PATH, if there is one; else
    the embedded `python -m model_server`.

    Raises:
        BinaryNotFoundError: the variable names a file that is missing or cannot be executed.
    """
    named = environment.get(VARIABLE)
    if named:
        if not (Path(named).is_file() and os.access(named, os.X_OK)):
            raise BinaryNotFoundError(f"{VARIABLE}={named} is not an executable file; unset it for the default")
        return [named]
    on_path = shutil.which("tensorflow_model_server", path=environment.get("PATH"))
    return [on_path] if on_path else [sys.executable, "-m", "model_server"]
