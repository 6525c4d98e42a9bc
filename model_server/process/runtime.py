"""TensorFlow's runtime without its Python API.

`import tensorflow` builds the whole API for writing and training models: 4 of 5 seconds of this server's start and 300
MiB of its memory. A server needs graphs, sessions and messages, whose modules can be imported by themselves once the
package's own `__init__` is kept from running. `model_server` therefore never says `import tensorflow`, only
`from tensorflow.python...` and `from tensorflow.core...`; where the API is loaded already, these work as well.
"""

import importlib.util
import os
import re
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "tensorflow"
LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
WARNINGS_AND_LESS = "2"

# What the first session of a process writes on every healthy machine without a GPU, below and above that level.
_NO_NEWS = re.compile(rb"failed call to cuInit|before absl::InitializeLog|MLIR V1 optimization pass is not enabled")


def leave_out_api() -> None:
    """To be called before any module of TensorFlow is imported; does nothing after that."""
    if PACKAGE in sys.modules:
        return
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    package = ModuleType(PACKAGE)
    package.__spec__, package.__file__ = spec, spec.origin
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules[PACKAGE] = package


@cache
def load_text_ops() -> None:
    """Registers the ops and kernels of TensorFlow Text, which the stock binary links. Loads no Python of it."""
    from tensorflow.python.client import pywrap_tf_session as c_api

    spec = importlib.util.find_spec("tensorflow_text")
    assert spec is not None
    assert spec.origin is not None
    for library in sorted(Path(spec.origin).parent.glob("python/ops/_*.so")):
        c_api.TF_LoadLibrary(str(library))


def leave_out_warnings() -> None:
    """To be called before TensorFlow is imported: it then writes errors alone; the variable, if it is set, wins."""
    os.environ.setdefault(LOG_LEVEL, WARNINGS_AND_LESS)


def run_first_session(config: Any) -> None:
    """Runs an empty session with the ConfigProto of those to come, and leaves out what it says on every start.

    These lines are written once a process, two of them as errors, and no level of the log hides them without hiding
    real errors. Where the operator chose a level, nothing is left out.
    """
    if os.environ.get(LOG_LEVEL) != WARNINGS_AND_LESS:
        return
    from tensorflow.python.client import session
    from tensorflow.python.framework import constant_op, ops
    from tensorflow.python.framework.errors_impl import OpError

    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            # A config that allows no session fails the load of each version, with a message of its own.
            with (
                suppress(OpError),
                ops.Graph().as_default() as graph,
                session.Session(graph=graph, config=config) as one,
            ):
                one.run(constant_op.constant(0))
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
            written.seek(0)
            for line in written:
                if not _NO_NEWS.search(line):
                    os.write(2, line)
