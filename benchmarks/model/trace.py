"""Where the time of a run goes: the trace that TensorFlow itself takes of every op.

python -m benchmarks.model.trace <SavedModel>: reads a JSON list of batches from standard input, writes a JSON object
with ms a row by `ops.group`, and under "untraced" ms a row of the same runs without a trace.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.model import ops
from benchmarks.model.costs import Say
from benchmarks.model.settings import OURS, SAVED_MODELS, SIGNATURES, environment
from benchmarks.shared.model_process import Batches, ModelProcessError
from benchmarks.shared.texts import cut
from model_server.process import memory

SIZES = (1, 32)
# Utterances of each size.
UTTERANCES = 128
# Traces of each batch, of which the median counts: who shares the machine disturbs some.
REPEATS = 5
UNTRACED = "untraced"


def measure(folder: Path, texts: Sequence[str], say: Say) -> dict[str, dict[str, float]]:
    """Batch size -> group -> ms a row, one thread, over utterances as they come.

    Raises:
        ModelProcessError: the process that traces failed.
    """
    found = {}
    for size in SIZES:
        say(f"trace of utterances in batches of {size}")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.model.trace", str(folder / SAVED_MODELS[OURS])],
            env=environment(onednn=False),
            input=json.dumps(cut(texts[:UTTERANCES], size)),
            stdout=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise ModelProcessError(f"the trace failed with status {done.returncode}; what it said stands above")
        found[str(size)] = json.loads(done.stdout)
    return found


def main(directory: Path, batches: Batches) -> dict[str, float]:
    """Traces the exported SavedModel in this process."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    memory.prepare()
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  registers its ops

    one_thread = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    options = tf.compat.v1.RunOptions(trace_level=tf.compat.v1.RunOptions.SOFTWARE_TRACE)
    with tf.compat.v1.Session(graph=tf.Graph(), config=one_thread) as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(directory)).signature_def[SIGNATURES[OURS]]
        text = loaded.inputs["text"].name
        outputs = [output.name for output in loaded.outputs.values()]
        plain = session.make_callable(outputs, [text])
        # The first pass pays for every shape's first time.
        for batch in batches:
            plain(batch)
        total: defaultdict[str, float] = defaultdict(float)
        for batch in batches:
            untraced, traces = [], []
            for _ in range(REPEATS):
                began = time.perf_counter()
                plain(batch)
                untraced.append((time.perf_counter() - began) * 1000)
                metadata = tf.compat.v1.RunMetadata()
                session.run(outputs, {text: batch}, options=options, run_metadata=metadata)
                traces.append(by_group(metadata))
            total[UNTRACED] += statistics.median(untraced)
            for name in set().union(*traces):
                total[name] += statistics.median(trace.get(name, 0.0) for trace in traces)
    rows = sum(map(len, batches))
    return {name: spent / rows for name, spent in total.items()}


def by_group(metadata: Any) -> dict[str, float]:
    """Milliseconds of one traced run, by group."""
    nodes = [node for device in metadata.step_stats.dev_stats for node in device.node_stats]
    spent: defaultdict[str, float] = defaultdict(float)
    for node in nodes:
        kind = ops.kind_of(node.timeline_label)
        spent[ops.group(kind, node.node_name)] += (node.op_end_rel_nanos - node.op_start_rel_nanos) / 1e6
    began = min(node.all_start_nanos for node in nodes)
    ended = max(node.all_start_nanos + node.all_end_rel_nanos for node in nodes)
    spent[ops.BETWEEN] = max(0.0, (ended - began) / 1e6 - sum(spent.values()))
    return dict(spent)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), json.load(sys.stdin))))
