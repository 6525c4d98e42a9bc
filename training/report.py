"""What a person looks at: metrics.json, MODEL_CARD.md and its pictures, beside the classifier."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay

from training.evaluate import Evaluation

PACKAGES = ("tensorflow", "tensorflow-text", "tf-keras", "tensorflow-hub")


def versions() -> dict[str, str]:
    """The versions that the figures depend on."""
    return {package: version(package) for package in PACKAGES}


def write(directory: Path, metrics: dict[str, Any], evaluations: dict[str, Evaluation]) -> None:
    """Writes metrics.json, MODEL_CARD.md, curves.png and a confusion-<split>.png for all but the training split."""
    (directory / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    _curves(metrics["history"]).savefig(directory / "curves.png", dpi=120)
    shown = [split for split in evaluations if split != "train"]
    for split in shown:
        _confusion(split, evaluations[split]).savefig(directory / f"confusion-{split}.png", dpi=120)
    (directory / "MODEL_CARD.md").write_text(_card(metrics, evaluations, shown))


def table(evaluations: dict[str, Evaluation]) -> str:
    """The splits as a Markdown table."""
    lines = ["| split | rows | loss | accuracy | macro-F1 |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {split} | {figures.rows} | {figures.loss:.4f} | {figures.accuracy:.4f} | {figures.macro_f1:.4f} |"
        for split, figures in evaluations.items()
    ]
    return "\n".join(lines)


def _curves(history: dict[str, list[float]]) -> Figure:
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        epochs = range(1, len(history[name]) + 1)
        axes.plot(epochs, history[name], marker="o", label="train (with dropout)")
        axes.plot(epochs, history[f"val_{name}"], marker="o", label="validation")
        axes.set(title=name, xlabel="epoch", xticks=epochs)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def _confusion(split: str, evaluation: Evaluation) -> Figure:
    figure = Figure(figsize=(10, 9), layout="constrained")
    axes = figure.subplots()
    intents = list(evaluation.per_class)
    ConfusionMatrixDisplay(np.array(evaluation.confusion), display_labels=intents).plot(
        ax=axes, cmap="Blues", colorbar=False
    )
    # Anchored at its end, each slanted name points at its own column.
    axes.set_xticks(range(len(intents)), intents, rotation=45, ha="right", rotation_mode="anchor")
    axes.set(title=f"{split}: {evaluation.rows} rows, accuracy {evaluation.accuracy:.3f}")
    return figure


def _card(metrics: dict[str, Any], evaluations: dict[str, Evaluation], shown: list[str]) -> str:
    data = metrics["data"]
    sections = [
        "# Model card: intent classifier",
        f"Which of 11 intents an utterance of a cooking or home-improvement dialogue carries. Encoder "
        f"`{metrics['encoder']}`, recipe `{metrics['recipe_name']}`, seed {metrics['recipe']['seed']}, "
        f"{metrics['parameters']:,} trainable parameters, {metrics['minutes']:.1f} minutes of training.",
        "## How good it is",
        table(evaluations),
        "macro-F1 is the unweighted mean over the intents that occur in the split.",
        *(f"![confusion matrix, {split}](confusion-{split}.png)" for split in shown),
        "![loss and accuracy by epoch](curves.png)",
        *(f"### By intent, {split}\n\n{_per_class(evaluations[split])}" for split in shown),
        "## Data",
        f"{data['rows']} labelled turns ({', '.join(f'{n} {s}' for s, n in data['splits'].items())}) of the domains "
        f"{', '.join(data['domains'])}; {data['dropped']} turns without text or intent left out.",
        "\n".join(f"- `{name}` sha256 `{checksum}`" for name, checksum in data["checksums"].items()),
        "The published Wizard of Tasks dialogues are under CC BY-SA 4.0 (Choi et al., COLING 2022); the sample bundled "
        "with this project is under Apache-2.0. MiniLM's weights and Hub's BERT encoders are under Apache-2.0.",
        "## Limits",
        "Written English, one utterance at a time, without the dialogue before it. Probabilities are not calibrated. "
        "Texts that carry none of the 11 intents still get one of them.",
        "## Recipe",
        "\n".join(f"- {key} = {value}" for key, value in metrics["recipe"].items()),
        "Versions: " + ", ".join(f"{package} {number}" for package, number in metrics["versions"].items()) + ".",
    ]
    return "\n\n".join(sections) + "\n"


def _per_class(evaluation: Evaluation) -> str:
    lines = ["| intent | precision | recall | F1 | rows |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {intent} | {figures['precision']:.2f} | {figures['recall']:.2f} | {figures['f1']:.2f} | {figures['rows']} |"
        for intent, figures in evaluation.per_class.items()
    ]
    return "\n".join(lines)
