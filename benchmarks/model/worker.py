"""The process that runs one signature of a SavedModel as the embedded server would, and times it.

python -m benchmarks.model.worker <SavedModel> <signature> <threads>: reads requests of `workers.Worker`, a JSON object
a line, and answers each with a line of JSON.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model_server.process import memory, runtime


def main(directory: Path, name: str, threads: int) -> None:
    """Loads the signature, then does what standard input asks for."""
    run = load(directory, name, threads)
    for line in sys.stdin:
        request = json.loads(line)
        batches = request["batches"]
        if request["do"] == "time":
            answer = passes(run, batches, request["seconds"])
        else:
            answer = [row for batch in batches for row in run(column(batch)).tolist()]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def passes(run: Callable[[Any], Any], batches: Sequence[Sequence[str]], seconds: float) -> list[float]:
    """Milliseconds of each pass over the batches, until `seconds` are over; one at least."""
    arrays = [column(batch) for batch in batches]
    found: list[float] = []
    began = last = time.perf_counter()
    while not found or last - began < seconds:
        for array in arrays:
            run(array)
        now = time.perf_counter()
        found.append((now - last) * 1000)
        last = now
    return found


def column(texts: Sequence[str]) -> Any:
    """What a session takes for strings: bytes [rows]."""
    return np.array([text.encode() for text in texts], dtype=object)


def load(directory: Path, name: str, threads: int) -> Callable[[Any], Any]:
    """From texts, bytes [rows], to probabilities, float32 [rows, 11]; on so many threads within an op."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    memory.use_system_allocator()
    memory.leave_out_onednn_ops()
    runtime.leave_out_api()

    from model_server.command_line import Options
    from model_server.graph import saved_model
    from model_server.graph.session_options import session_config

    options = Options(tensorflow_intra_op_parallelism=threads)
    session, signatures = saved_model.load(directory, ["serve"], session_config(options, os.cpu_count() or 1))
    signature = signatures[name]
    text = session.output(signature.inputs["text"].name)
    # As a server does, which needs all outputs of the signature.
    outputs = sorted(signature.outputs)
    fetches = [session.output(signature.outputs[output].name) for output in outputs]
    place = outputs.index("probabilities")
    return lambda texts: session.run({text: texts}, fetches, None)[place]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    # As in model_server: the interpreter's end trips over TensorFlow's threads.
    os._exit(0)
