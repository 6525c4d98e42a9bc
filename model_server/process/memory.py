"""Gives the memory of dropped versions back to the system; without this it stays with the process.

Three holders stand in the way: the reference cycles of a graph's Python objects, TensorFlow's own allocator, and the
C library's heap.
"""

import ctypes
import gc
import os

# Set before TensorFlow is imported, this makes its oneDNN build allocate by malloc. Its own allocator never gives a
# region back: after a swap of versions the server would keep the size of two.
SYSTEM_ALLOCATOR = "TF_ONEDNN_USE_SYSTEM_ALLOCATOR"

# Set to 0 before TensorFlow is imported, this leaves out oneDNN's ops, which keep code and state for every new shape of
# their inputs: half a MiB for each (batch, length) of a small BERT. Measured without them: single rows a tenth cheaper,
# batches of short rows equal, batches of 32 long rows a quarter to a third dearer.
ONEDNN_OPS = "TF_ENABLE_ONEDNN_OPTS"

# Only in the GNU C library.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def prepare() -> None:
    """To be called before TensorFlow is imported. A variable that is set already wins."""
    os.environ.setdefault(SYSTEM_ALLOCATOR, "1")
    os.environ.setdefault(ONEDNN_OPS, "0")


def settle() -> None:
    """To be called once all modules are imported. Objects that exist by then are never searched again for garbage."""
    gc.collect()
    gc.freeze()


def release() -> None:
    """Collects garbage and returns free pages to the system."""
    gc.collect()
    if _trim:
        _trim(0)
