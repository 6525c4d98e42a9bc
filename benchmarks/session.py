"""What the model itself costs: the same rows as the server gets, run in a process without any server.

python -m benchmarks.session <version directory>: reads lines with a number of runs, answers each with CPU ms per run.
"""

import os
import sys
import time
from pathlib import Path

from benchmarks.texts import SENTENCE, SIGNATURE
from model_server import memory


def main(directory: Path) -> None:
    """Loads the version as the embedded server does, then measures what standard input asks for."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    memory.use_system_allocator()
    memory.leave_out_onednn_ops()
    import numpy as np

    from model_server import saved_model
    from model_server.options import Options
    from model_server.session_options import session_config

    session, signatures = saved_model.load(directory, ["serve"], session_config(Options(), os.cpu_count() or 1))
    signature = signatures[SIGNATURE]
    feeds = {
        session.output(info.name): np.array([SENTENCE.encode()], dtype=object) for info in signature.inputs.values()
    }
    fetches = [session.output(info.name) for info in signature.outputs.values()]

    def cpu(runs: int) -> float:
        began = time.process_time()
        for _ in range(runs):
            session.run(feeds, fetches, None)
        return (time.process_time() - began) * 1000 / runs

    cpu(50)
    for line in sys.stdin:
        sys.stdout.write(f"{cpu(int(line))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    # As in model_server: the interpreter's end trips over TensorFlow's threads.
    os._exit(0)
