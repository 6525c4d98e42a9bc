"""MODEL_CARD.md: what a user needs to decide whether to trust a classifier."""

from training.data.intents import INTENTS
from training.report import tables, turns
from training.report.assessment import Assessment
from training.report.coverage import LEAST_COVERAGE, TARGET
from training.report.metrics import TEXT_ALONE, WITH_CONTEXT, Origin

# The section about other seeds is put before this one.
AFTER_SEEDS = "## When to trust it"


def card(origin: Origin, assessment: Assessment) -> str:
    """The text of the card."""
    recipe = origin.recipe
    sections = [
        f"# Model card: intent classifier\n\nNames the intent, one of {len(INTENTS)}, of an utterance in a cooking or "
        f"home-improvement dialogue. Encoder `{origin.encoder}`, recipe `{origin.recipe_name}`, seed {recipe.seed}, "
        f"{origin.parameters:,} trainable parameters, {origin.minutes:.1f} minutes of training.",
        _quality(assessment),
        _trust(assessment),
        _details(assessment),
        turns.errors(assessment),
        turns.labels(assessment.duplicates),
        turns.data(origin.data),
        _limits(assessment),
        "## Recipe\n\n" + "\n".join(f"- {key} = {value}" for key, value in vars(recipe).items()),
        "Versions: " + ", ".join(f"{package} {number}" for package, number in origin.versions.items()) + ".",
    ]
    return "\n\n".join(sections) + "\n"


def _quality(assessment: Assessment) -> str:
    views = assessment.views
    comparisons = []
    for split in assessment.shown:
        found = views[TEXT_ALONE].evaluations[split]
        comparisons.append(
            f"### {split}: {found.rows} rows of {found.conversations} conversations\n\n"
            f"{tables.comparison(assessment, split)}"
        )
    trained_on = [f"{view.evaluations['train'].accuracy:.3f} {name}" for name, view in views.items()]
    return "\n\n".join(
        [
            "## How good it is",
            *comparisons,
            "This classifier is in bold. Majority always answers the commonest intent. TF-IDF is a linear model over "
            "words and parts of words; with context it also sees the role and the words of the turn before. The "
            "intervals are a bootstrap over whole conversations. The last column is the 95 % interval of the "
            "difference in accuracy, over the same conversations for both: if it leaves out 0, the difference is more "
            "than chance. macro-F1 is the unweighted mean over the intents that occur in the split. Student and "
            "teacher are the accuracy on their turns, ECE is the expected calibration error, loss is in nats.",
            f"On the rows that it was trained on its accuracy is {', '.join(trained_on)}.",
        ]
    )


def _trust(assessment: Assessment) -> str:
    views = assessment.views
    accuracies = {name: view.answered["validation"].accuracy for name, view in views.items()}
    missed = [name for name, accuracy in accuracies.items() if accuracy is None or accuracy < TARGET]
    fallback = f" There is none for {' and '.join(missed)}; it got the threshold with the most answers right."
    pictures = "\n\n".join(f"![reliability, {split}](reliability-{split}.png)" for split in assessment.shown)
    return (
        f"{AFTER_SEEDS}\n\n"
        f"The graph divides the logits by the temperature {assessment.temperature:.3f}, which was fitted on "
        f"validation. Before and after it:\n\n{tables.calibration(views)}\n\n"
        "Accuracy at 80 % is that of the 80 % of the rows with the highest scores. ECE is over 15 bins of equal "
        "width.\n\n"
        "**Recommended threshold** to abstain below, chosen on validation: the smallest whole per cent at which "
        f"{tables.percent(TARGET)} of the answers are right and at least {tables.percent(LEAST_COVERAGE)} of the "
        f"rows are answered.{fallback if missed else ''}\n\n{tables.thresholds(views)}\n\n"
        f"![accuracy by share of the rows answered](coverage.png)\n\n{pictures}"
    )


def _details(assessment: Assessment) -> str:
    views = assessment.views
    parts = ["## Where it is good and where not"]
    for split in assessment.shown:
        parts += [
            f"### By group, {split}\n\n{tables.by_group(views, split)}",
            f"### By intent, {split}\n\n{tables.by_intent(views, split)}",
            f"![confusion matrix, {split}](confusion-{split}.png)",
        ]
        if WITH_CONTEXT in views:
            parts.append(f"![confusion matrix with context, {split}](confusion-{split}-dialogue.png)")
    return "\n\n".join([*parts, "![loss and accuracy by epoch](curves.png)"])


def _limits(assessment: Assessment) -> str:
    context = (
        "It can be told who speaks and what was said just before, but nothing earlier."
        if WITH_CONTEXT in assessment.views
        else "It reads one utterance at a time, without the dialogue before it."
    )
    return (
        f"## Limits\n\nIt was trained on written English about cooking and home improvement. {context} A text that "
        f"carries none of the {len(INTENTS)} intents still gets one of them, often with a low score, so abstain below "
        "the threshold. Temperature and threshold suit dialogues like the validation rows; on others the scores may be "
        "too high. The figures of intents with few rows vary a lot by chance."
    )
