"""MODEL_CARD.md: what a user needs to decide whether, and how far, to trust a classifier."""

from typing import Any

import pandas as pd

from training.data.intents import INTENTS
from training.report import seeds, tables, turns
from training.report.coverage import LEAST_COVERAGE


def card(metrics: dict[str, Any], errors: pd.DataFrame, conflicts: pd.DataFrame) -> str:
    """The text of the card.

    Args:
        metrics: as `training.report` writes them.
        errors: see `training.review`; conflicts: see `training.duplicates`.
    """
    shown = [split for split in metrics["splits"] if split != "train"]
    sections = [
        f"# Model card: intent classifier\n\nWhich of {len(INTENTS)} intents an utterance of a cooking or "
        f"home-improvement dialogue carries. Encoder `{metrics['encoder']}`, recipe `{metrics['recipe_name']}`, "
        f"seed {metrics['recipe']['seed']}, {metrics['parameters']:,} trainable parameters, "
        f"{metrics['minutes']:.1f} minutes of training.",
        _quality(metrics, shown),
        *([seeds.section(metrics)] if "seeds" in metrics else []),
        _trust(metrics, shown),
        _details(metrics, shown),
        turns.errors(errors, "dialogue" in metrics),
        turns.labels(metrics["duplicates"], conflicts),
        turns.data(metrics["data"]),
        _limits(metrics),
        "## Recipe\n\n" + "\n".join(f"- {key} = {value}" for key, value in metrics["recipe"].items()),
        "Versions: " + ", ".join(f"{package} {number}" for package, number in metrics["versions"].items()) + ".",
    ]
    return "\n\n".join(sections) + "\n"


def _quality(metrics: dict[str, Any], shown: list[str]) -> str:
    comparisons = [
        f"### {split}: {metrics['splits'][split]['rows']} rows of {metrics['splits'][split]['conversations']} "
        f"conversations\n\n{tables.comparison(metrics, split)}"
        for split in shown
    ]
    trained_on = [f"{splits['train']['accuracy']:.3f} {name}" for name, splits in tables.views(metrics).items()]
    return "\n\n".join(
        [
            "## How good it is",
            *comparisons,
            "In bold: this classifier. Majority is always the commonest intent; TF-IDF is a linear model over words "
            "and parts of words, with context also over the role and the words of the turn before. The intervals come "
            "from drawing whole conversations anew (bootstrap). The last column is the 95 % interval of the difference "
            "in accuracy, drawn from the same conversations for both: where it leaves out 0, chance alone does not "
            "explain the difference. macro-F1 is the unweighted mean over the intents that occur in the split; student "
            "and teacher are the accuracy on their turns; ECE is the expected calibration error; loss is in nats.",
            f"On the rows that it was trained on its accuracy is {', '.join(trained_on)}.",
        ]
    )


def _trust(metrics: dict[str, Any], shown: list[str]) -> str:
    found = tables.views(metrics["calibration"])
    target = metrics["calibration"]["target"]
    missed = [name for name, view in found.items() if view["splits"]["validation"]["answered"]["accuracy"] < target]
    fallback = f" There is none for {' and '.join(missed)}: there it is the one with the most answers right."
    pictures = "\n\n".join(f"![reliability, {split}](reliability-{split}.png)" for split in shown)
    return (
        "## When to trust it\n\n"
        f"Logits are divided by the temperature {metrics['temperature']:.3f}, fitted on validation; the graph does it. "
        f"Before and after it:\n\n{tables.calibration(metrics)}\n\n"
        "Accuracy at 80 % is that of the 80 % of the rows with the highest scores. ECE is over 15 bins of equal "
        "width.\n\n"
        "**Recommended threshold** to abstain below, chosen on validation: the smallest whole per cent at which "
        f"{tables.percent(target)} of the answers are right, with at least {tables.percent(LEAST_COVERAGE)} of the "
        f"rows answered.{fallback if missed else ''}\n\n{tables.thresholds(metrics)}\n\n"
        f"![accuracy by share of the rows answered](coverage.png)\n\n{pictures}"
    )


def _details(metrics: dict[str, Any], shown: list[str]) -> str:
    parts = ["## Where it is good and where not"]
    for split in shown:
        parts += [
            f"### By group, {split}\n\n{tables.by_group(metrics, split)}",
            f"### By intent, {split}\n\n{tables.by_intent(metrics, split)}",
            f"![confusion matrix, {split}](confusion-{split}.png)",
        ]
        if "dialogue" in metrics:
            parts.append(f"![confusion matrix with context, {split}](confusion-{split}-dialogue.png)")
    return "\n\n".join([*parts, "![loss and accuracy by epoch](curves.png)"])


def _limits(metrics: dict[str, Any]) -> str:
    context = (
        "It can be told who speaks and what was said just before; nothing earlier."
        if "dialogue" in metrics
        else "One utterance at a time, without the dialogue before it."
    )
    return (
        f"## Limits\n\nWritten English of cooking and home improvement. {context} A text that carries none of the "
        f"{len(INTENTS)} intents still gets one of them, often with a low score: abstain below the threshold. The "
        "temperature and the threshold suit dialogues like the validation rows; on others the scores may be too high. "
        "Figures of intents with few rows are decided by a handful of them."
    )
