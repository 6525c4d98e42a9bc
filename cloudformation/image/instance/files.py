"""Files that another process reads while they are written."""

import os
import tempfile
from pathlib import Path

FOLDER = Path("/run/intent")
"""In memory, gone at the next boot. The gateway's group may read it."""


def write(path: Path, content: str, mode: int) -> None:
    """Writes the file whole or not at all, with these permissions."""
    handle, sibling = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(content)
        Path(sibling).chmod(mode)
        Path(sibling).replace(path)
    except BaseException:
        Path(sibling).unlink(missing_ok=True)
        raise
