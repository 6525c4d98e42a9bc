"""The original design's rows of 128 pieces against ours, in process: the same answers, and how many rows a second.

python -m benchmarks.serving.padding <classifier directory> <target>

writes the classifier as a SavedModel whose every row is 128 pieces long. It is then run by the same process, with the
same threads, as the one that is published.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.serving import sides
from benchmarks.serving.rounds import FIXED, FIXED_ONEDNN, OURS
from benchmarks.texts import SIGNATURE
from model_server.process.memory import ONEDNN_OPS

BATCH = 32


def measure(
    classifier: Path, version: Path, state: Path, rounds: int, seconds: float, say: Callable[[str], None]
) -> dict[str, object]:
    """Answers of both to every utterance, then rows a second in interleaved rounds.

    The embedded server leaves oneDNN's ops out. They make long batches faster, so fixed 128 is measured with them too.
    """
    fixed = state / "fixed"
    say("padding: writing the model with rows of 128 pieces")
    subprocess.run(
        [sys.executable, "-m", "benchmarks.serving.padding", str(classifier), str(fixed)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with_ops = os.environ | {ONEDNN_OPS: "1"}
    with (
        sides.in_process(fixed) as one,
        sides.in_process(fixed, with_ops) as two,
        sides.in_process(version) as ours,
    ):
        say("padding: every utterance, by both")
        files = [state / f"{name}.npy" for name in ("fixed", "ours")]
        for model, file in zip((one, ours), files, strict=True):
            model.answers(file, BATCH)
        rates: dict[str, list[float]] = {}
        for number in range(rounds):
            for name, model in ((FIXED, one), (FIXED_ONEDNN, two), (OURS, ours)):
                say(f"padding: round {number + 1} of {rounds}, {name}")
                rates.setdefault(name, []).append(model.measure(BATCH, seconds, number).rate)
    return {"batch": BATCH, "rates": rates, **_difference(*files)}


def _difference(fixed: Path, ours: Path) -> dict[str, object]:
    import numpy as np

    one, other = np.load(fixed), np.load(ours)
    labels = one.argmax(axis=1) != other.argmax(axis=1)
    return {
        "utterances": len(one),
        "differing_labels": int(labels.sum()),
        "largest_difference": float(abs(one - other).max()),
    }


def write(classifier: Path, target: Path) -> None:
    """The classifier with `serving_default` over rows of 128 pieces."""
    import tensorflow as tf

    from benchmarks.serving import fixed
    from training.fit.classifier import load

    trained = load(classifier)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(text: tf.Tensor) -> dict[str, tf.Tensor]:
        pooled = trained.encoder(fixed.inputs(trained, text))["pooled_output"]
        logits = (tf.matmul(pooled, trained.kernel) + trained.bias) / trained.temperature
        return {"probabilities": tf.nn.softmax(logits)}

    module = tf.Module()
    module.parts = trained.preprocess, trained.encoder, trained.kernel, trained.bias
    tf.saved_model.save(module, str(target), signatures={SIGNATURE: serve})


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
