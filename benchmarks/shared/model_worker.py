"""The process that runs one signature of a SavedModel as the embedded server would, and times it.

python -m benchmarks.shared.model_worker <SavedModel> <signature> <threads>: reads the requests of `ModelProcess`, a
JSON object a line, and answers each with a line of JSON.
"""

import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.generators import PERCENTS
from model_server.process import memory, runtime

WARM_UP_SECONDS = 1
# From texts, bytes [rows], to probabilities, float32 [rows, intents].
Run = Callable[[Any], Any]


def main(directory: Path, name: str, threads: int) -> None:
    """Loads the signature, then answers requests until standard input ends."""
    run = load(directory, name, threads)
    for line in sys.stdin:
        request = json.loads(line)
        arrays = [np.array([text.encode() for text in batch], dtype=object) for batch in request["batches"]]
        answer: object
        if request["do"] == "time":
            answer = passes(run, arrays, request["seconds"])
        elif request["do"] == "rate":
            answer = rate(run, arrays, request["seconds"])
        else:
            answer = [row for array in arrays for row in run(array).tolist()]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def passes(run: Run, batches: Sequence[Any], seconds: float) -> list[float]:
    """Milliseconds of each pass over the batches, until `seconds` are over; at least one."""
    found: list[float] = []
    began = last = time.perf_counter()
    while not found or last - began < seconds:
        for batch in batches:
            run(batch)
        now = time.perf_counter()
        found.append((now - last) * 1000)
        last = now
    return found


def rate(run: Run, batches: Sequence[Any], seconds: float) -> dict[str, float]:
    """The fields of `model_process.Rate`, after a second that is not counted."""
    on_all_cores(run, batches, WARM_UP_SECONDS)
    before, began = time.process_time(), time.perf_counter()
    runs = on_all_cores(run, batches, seconds)
    took, spent = time.perf_counter() - began, time.process_time() - before
    rows = sum(count for count, _ in runs)
    ordered = sorted(latency for _, latency in runs)
    percentiles = {f"p{percent}": ordered[len(ordered) * percent // 100] * 1000 for percent in PERCENTS}
    return {"rows": rows, "rate": rows / took, "cpu_ms": spent * 1000 / rows, **percentiles}


def on_all_cores(run: Run, batches: Sequence[Any], seconds: float) -> list[tuple[int, float]]:
    """(rows, seconds) of every run; one thread a core, which share the batches."""
    cores = len(os.sched_getaffinity(0))
    turn = itertools.count()
    end = time.perf_counter() + seconds

    def work() -> list[tuple[int, float]]:
        runs = []
        while (began := time.perf_counter()) < end:
            batch = batches[next(turn) % len(batches)]
            run(batch)
            runs.append((len(batch), time.perf_counter() - began))
        return runs

    with ThreadPoolExecutor(cores) as threads:
        return [run for each in [threads.submit(work) for _ in range(cores)] for run in each.result()]


def load(directory: Path, name: str, threads: int) -> Run:
    """The signature of the SavedModel, on so many threads within an op."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    memory.prepare()
    runtime.leave_out_api()

    from model_server.command_line import Options
    from model_server.graph import saved_model
    from model_server.graph.session_options import session_config

    options = Options(tensorflow_intra_op_parallelism=threads)
    cores = len(os.sched_getaffinity(0))
    session, signatures = saved_model.load(directory, ["serve"], session_config(options, cores))
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
