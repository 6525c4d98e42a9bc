"""Less noise from TensorFlow in a command line process."""

import logging
import os
import warnings


def quiet_tensorflow() -> None:
    """Silences what TensorFlow prints while it starts. To be called before TensorFlow is imported.

    Only for processes whose terminal it is: children inherit the variable, and a model server among them logs nothing.
    """
    # No GPU, CPU features: this would bury the progress.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Deprecation notes: the v1 session loader is used on purpose, because the model server uses it.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # tensorflow-hub 0.16.1 imports pkg_resources, which is why setuptools is pinned below 82.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
