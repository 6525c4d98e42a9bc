"""Command line of `python -m benchmarks precision`: float32 beside bfloat16, in accuracy and in speed."""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.shared import command_line

HELP = "what computing in bfloat16 changes: accuracy on held-out rows, and rows a second in process"
BATCHES = (1, 8, 32)
HELD_OUT = ("validation", "test")
# What is compared: its name, the precision it is published in, TF_ENABLE_ONEDNN_OPTS.
WAYS = (("float32", "float32", "0"), ("float32, oneDNN ops", "float32", "1"), ("bfloat16, oneDNN ops", "bfloat16", "1"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    command_line.add_classifier(parser)
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=4, help="of a round (default: %(default)s)")
    command_line.add_output(parser, "precision")


def run(options: argparse.Namespace) -> int:
    """Measures, writes, prints."""
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "1"}
    from training.errors import TrainingError

    try:
        figures = measure(command_line.chosen(options), options.rounds, options.seconds)
    except TrainingError as error:
        say(f"{error}; `python -m training fit` makes a classifier")
        return 1
    command_line.deliver(options, "precision", figures)
    return 0


def measure(directory: Path, rounds: int, seconds: float) -> dict[str, object]:
    """Accuracy of both precisions, then the rates of all three ways by turns."""
    from benchmarks.shared import model_process
    from benchmarks.shared.texts import cut, utterances
    from export import signatures
    from training.fit import classifier

    trained = classifier.load(directory)
    texts = utterances()
    rates: dict[str, dict[str, list[float]]] = {name: {str(batch): [] for batch in BATCHES} for name, *_ in WAYS}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        versions = {precision: Path(folder) / precision for precision in ("float32", "bfloat16")}
        for precision, path in versions.items():
            say(f"writing the model in {precision}")
            signatures.write(trained, path, precision)
        splits = _accuracy(versions)
        models = {
            name: stack.enter_context(
                model_process.running(versions[precision], environment=os.environ | {"TF_ENABLE_ONEDNN_OPTS": ops})
            )
            for name, precision, ops in WAYS
        }
        for number in range(rounds):
            for batch in BATCHES:
                say(f"round {number + 1} of {rounds}, batch {batch}")
                for name, model in models.items():
                    rates[name][str(batch)].append(model.rate(cut(texts, batch), seconds).rate)
    return {"classifier": str(directory), "rounds": rounds, "seconds": seconds, "splits": splits, "rates": rates}


def _accuracy(versions: dict[str, Path]) -> list[dict[str, object]]:
    import numpy as np
    import tensorflow as tf

    from training.data import dataset

    data = dataset.load(Path(os.environ.get("WOT_DATA_DIR") or dataset.SAMPLE))
    models = {precision: tf.saved_model.load(str(path)) for precision, path in versions.items()}
    found: list[dict[str, object]] = []
    for split in HELD_OUT:
        rows = data.split(split)
        texts = rows["text"].tolist()
        wanted = rows["intent"].to_numpy()
        answers = {}
        for precision, model in models.items():
            say(f"asking {len(texts)} {split} rows in {precision}")
            ask = model.signatures["serving_default"]
            parts = [
                ask(text=tf.constant(texts[at : at + 32]))["probabilities"].numpy() for at in range(0, len(texts), 32)
            ]
            answers[precision] = np.concatenate(parts)
        names = np.array(_intents(models["float32"]))
        chosen = {precision: names[values.argmax(axis=1)] for precision, values in answers.items()}
        found.append(
            {
                "split": split,
                "rows": len(texts),
                **{precision: float((labels == wanted).mean()) for precision, labels in chosen.items()},
                "changed": int((chosen["float32"] != chosen["bfloat16"]).sum()),
                "largest_difference": float(abs(answers["float32"] - answers["bfloat16"]).max()),
            }
        )
    return found


def _intents(model: Any) -> list[str]:
    from training.data.intents import INTENTS

    named = model.signatures["labels"](label_index=list(range(len(INTENTS))))["intent"]
    return [name.decode() for name in named.numpy()]


def say(line: str) -> None:
    """To the one who waits."""
    print(line, file=sys.stderr, flush=True)
