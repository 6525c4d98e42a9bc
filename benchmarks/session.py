"""What the model itself costs: the same rows as the server gets, run in a process without any server.

python -m benchmarks.session <version directory>: reads lines with a number of runs and one of threads that share them,
answers each with CPU ms per run. As many threads as the server has connections: a lone run hands its ops from thread to
thread and back, which costs more CPU than runs that keep all threads busy.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.texts import SENTENCE, SIGNATURE
from model_server.process import memory, runtime


def main(directory: Path) -> None:
    """Loads the version as the embedded server does, then measures what standard input asks for."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    memory.use_system_allocator()
    memory.leave_out_onednn_ops()
    runtime.leave_out_api()
    import numpy as np

    from model_server.graph import saved_model
    from model_server.graph.session_options import session_config
    from model_server.options import Options

    session, signatures = saved_model.load(directory, ["serve"], session_config(Options(), os.cpu_count() or 1))
    signature = signatures[SIGNATURE]
    feeds = {
        session.output(info.name): np.array([SENTENCE.encode()], dtype=object) for info in signature.inputs.values()
    }
    fetches = [session.output(info.name) for info in signature.outputs.values()]

    def cpu(runs: int, threads: int) -> float:
        began = time.process_time()
        with ThreadPoolExecutor(threads) as callers:
            for caller in [callers.submit(repeat, runs // threads) for _ in range(threads)]:
                caller.result()
        return (time.process_time() - began) * 1000 / (runs // threads * threads)

    def repeat(runs: int) -> None:
        for _ in range(runs):
            session.run(feeds, fetches, None)

    cpu(50, 1)
    for line in sys.stdin:
        runs, threads = line.split()
        sys.stdout.write(f"{cpu(int(runs), int(threads))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    # As in model_server: the interpreter's end trips over TensorFlow's threads.
    os._exit(0)
