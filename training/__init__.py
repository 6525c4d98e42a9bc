"""Data set to trained classifier: load, clean, split, fit, evaluate, report. `python -m training --help` says how."""

import logging
import os
import warnings

# Before TensorFlow is imported: its start-up chatter (no GPU, CPU features) would bury the progress.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Its deprecation notes too: the v1 session loader is used on purpose, since the model server's own loader is its like.
logging.getLogger("tensorflow").setLevel(logging.ERROR)
# tensorflow-hub 0.16.1 imports pkg_resources, which is why setuptools is pinned below 82.
warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
