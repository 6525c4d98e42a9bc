"""The model without any server: what the machine can compute at most.

python -m benchmarks.serving.in_process <version directory>

Says `ready`, then reads commands and answers each with a line:
    rate BATCH SECONDS   rows of consecutive utterances, as many single-threaded runs at once as there are cores; a
                         JSON object: rows, rate (rows a second), p50, p90, p99 (ms a run), cpu_ms (a row)
    answers BATCH FILE   the probabilities of every utterance, float32 [utterances, 11], into a .npy file
"""

import itertools
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.gateway_load import utterances
from benchmarks.texts import SIGNATURE
from model_server.process import memory, runtime

WARM_UP_SECONDS = 1


class Model:
    """A version, loaded as the embedded server loads it, and the utterances."""

    def __init__(self, directory: Path) -> None:
        import numpy as np

        from model_server.command_line import Options
        from model_server.graph import saved_model
        from model_server.graph.session_options import session_config

        self._cores = len(os.sched_getaffinity(0))
        self._session, signatures = saved_model.load(directory, ["serve"], session_config(Options(), self._cores))
        signature = signatures[SIGNATURE]
        self._input = self._session.output(signature.inputs["text"].name)
        self._outputs = [self._session.output(info.name) for info in signature.outputs.values()]
        self._probabilities = list(signature.outputs).index("probabilities")
        self._texts = np.array([text.encode() for text in utterances()], dtype=object)

    def rate(self, batch: int, seconds: float) -> dict[str, float]:
        """Rows a second and what they cost, for `seconds`, after a second that is not counted."""
        batches = self._batches(batch)
        self._repeat(batches, WARM_UP_SECONDS)
        before, began = time.process_time(), time.perf_counter()
        runs = self._repeat(batches, seconds)
        took, spent = time.perf_counter() - began, time.process_time() - before
        rows = sum(count for count, _ in runs)
        ordered = sorted(latency for _, latency in runs)
        percentiles = {f"p{percent}": ordered[len(ordered) * percent // 100] * 1000 for percent in (50, 90, 99)}
        return {"rows": rows, "rate": rows / took, "cpu_ms": spent * 1000 / rows, **percentiles}

    def answers(self, file: Path, batch: int) -> None:
        """Probabilities in the order of the utterances."""
        import numpy as np

        np.save(file, np.concatenate([self._run(texts) for texts in self._batches(batch)]))

    def _batches(self, batch: int) -> list:
        return [self._texts[start : start + batch] for start in range(0, len(self._texts), batch)]

    def _repeat(self, batches: list, seconds: float) -> list[tuple[int, float]]:
        """(rows, seconds) of every run; the threads share the batches."""
        turn = itertools.count()
        end = time.perf_counter() + seconds

        def work() -> list[tuple[int, float]]:
            runs = []
            while (began := time.perf_counter()) < end:
                texts = batches[next(turn) % len(batches)]
                self._run(texts)
                runs.append((len(texts), time.perf_counter() - began))
            return runs

        with ThreadPoolExecutor(self._cores) as threads:
            return [run for each in [threads.submit(work) for _ in range(self._cores)] for run in each.result()]

    def _run(self, texts):
        return self._session.run({self._input: texts}, self._outputs, None)[self._probabilities]


def say(line: str) -> None:
    """To the one who asked."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(directory: Path) -> None:
    """Answers commands until standard input ends."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    memory.use_system_allocator()
    memory.leave_out_onednn_ops()
    runtime.leave_out_api()
    model = Model(directory)
    say("ready")
    for line in sys.stdin:
        match line.split(maxsplit=2):
            case ["rate", batch, seconds]:
                answer = model.rate(int(batch), float(seconds))
            case ["answers", batch, file]:
                answer = model.answers(Path(file.strip()), int(batch))
        say(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    # As in model_server: the interpreter's end trips over TensorFlow's threads.
    os._exit(0)
