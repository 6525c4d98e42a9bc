"""The server's process holds TensorFlow's runtime, not its Python API."""

import subprocess
import sys

import tensorflow as tf

from model_server.process import runtime
from tests.servers import ROOT

IMPORT_ALL = """
import pkgutil, sys, model_server
from model_server.process import runtime

runtime.leave_out_api()
for module in pkgutil.iter_modules(model_server.__path__, "model_server."):
    if module.name != "model_server.__main__":
        __import__(module.name)
runtime.load_text_ops()
print(sorted(name for name in sys.modules if name.startswith(("tensorflow._api", "keras", "tensorflow_text"))))
"""


def test_no_module_needs_the_python_api() -> None:
    ended = subprocess.run([sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "[]\n"


def test_does_nothing_where_the_api_is_loaded_already() -> None:
    runtime.leave_out_api()
    assert sys.modules["tensorflow"] is tf
    assert tf.constant(1).numpy() == 1
