"""TensorFlow's runtime without its Python API.

`import tensorflow` builds the whole API for writing and training models: 4 of 5 seconds of this server's start and 300
MiB of its memory. A server needs graphs, sessions and messages, whose modules can be imported by themselves once the
package's own `__init__` is kept from running. `model_server` therefore never says `import tensorflow`, only
`from tensorflow.python...` and `from tensorflow.core...`; where the API is loaded already, these work as well.
"""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

PACKAGE = "tensorflow"


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
