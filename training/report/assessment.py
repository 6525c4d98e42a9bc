"""Everything that is measured of a trained classifier, and of what it must beat, on one data set."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from training.data.dataset import Dataset
from training.report import baselines, coverage
from training.report.calibration import Calibration, calibration
from training.report.coverage import Answered
from training.report.duplicates import Duplicates, duplicates
from training.report.evaluate import Evaluation, measure
from training.report.intervals import Intervals, gain
from training.report.predictions import Predictions, predict
from training.report.review import confident_errors

if TYPE_CHECKING:  # it imports TensorFlow, which no figure here needs
    from training.fit.classifier import TrainedClassifier


@dataclass(frozen=True)
class View:
    """One way to ask the classifier: from the text alone, or with role and previous turn. By split where a dict.

    Attributes:
        before, after: calibration of validation and test, without and with the temperature.
        threshold: the recommended one to abstain below, from validation.
        answered: what comes of that threshold.
    """

    predictions: dict[str, Predictions]
    evaluations: dict[str, Evaluation]
    before: dict[str, Calibration]
    after: dict[str, Calibration]
    threshold: float
    answered: dict[str, Answered]

    def calibration_as_json(self) -> dict[str, Any]:
        """Calibration and threshold as plain values."""
        return {
            "threshold": self.threshold,
            "splits": {
                split: {
                    "before": self.before[split].as_json(),
                    "after": self.after[split].as_json(),
                    "answered": asdict(self.answered[split]),
                }
                for split in self.after
            },
        }


@dataclass(frozen=True)
class Assessment:
    """What the report tells.

    Attributes:
        temperature: what the classifier divides its logits by.
        dialogue: the view with role and previous turn; None if the classifier takes none.
        baselines: name -> split (but the training split) -> figures, of `training.baselines` and other classifiers.
        gains: split -> baseline, or "text alone" -> by how much this classifier, asked in its best way, is better.
        errors: see `training.review`, of the classifier asked in its best way.
        duplicates: of all rows of the data set.
    """

    temperature: float
    text: View
    dialogue: View | None
    baselines: dict[str, dict[str, Evaluation]]
    gains: dict[str, dict[str, Intervals]]
    errors: pd.DataFrame
    duplicates: Duplicates

    @property
    def views(self) -> dict[str, View]:
        """Key of the metrics -> view; `dialogue` only where the classifier takes context."""
        return {"splits": self.text} | ({"dialogue": self.dialogue} if self.dialogue else {})

    def as_json(self) -> dict[str, Any]:
        """The figures for metrics.json."""
        views = self.views
        return {
            **{name: _as_json(view.evaluations) for name, view in views.items()},
            "baselines": {name: _as_json(figures) for name, figures in self.baselines.items()},
            "gains": {
                split: {name: asdict(interval) for name, interval in found.items()}
                for split, found in self.gains.items()
            },
            "temperature": self.temperature,
            "calibration": {
                "target": coverage.TARGET,
                **{name: view.calibration_as_json() for name, view in views.items()},
            },
            "duplicates": self.duplicates.as_json(),
        }


def assess(
    classifier: "TrainedClassifier", dataset: Dataset, others: Mapping[str, "TrainedClassifier"] | None = None
) -> Assessment:
    """Measures a classifier on a data set that has training and validation rows.

    Args:
        others: name -> a classifier to hold it against, such as one by the reference recipe; asked by the text alone.
    """
    text = predict(classifier, dataset)
    dialogue = predict(classifier, dataset, with_context=True) if classifier.context != "none" else None
    best = dialogue or text
    beside = baselines.predict(dataset, classifier.labels)
    beside |= {name: predict(other, dataset) for name, other in (others or {}).items()}
    held_against = beside | ({"text alone": text} if dialogue else {})
    shown = [split for split in text if split != "train"]
    return Assessment(
        temperature=classifier.temperature,
        text=_view(text, classifier.temperature),
        dialogue=_view(dialogue, classifier.temperature) if dialogue else None,
        baselines={name: {split: measure(answers[split]) for split in shown} for name, answers in beside.items()},
        gains={
            split: {name: gain(best[split], answers[split]) for name, answers in held_against.items()}
            for split in shown
        },
        errors=confident_errors(best),
        duplicates=duplicates(dataset.table),
    )


def _view(predictions: dict[str, Predictions], temperature: float) -> View:
    shown = {split: answers for split, answers in predictions.items() if split != "train"}
    chosen_on = predictions["validation"]
    threshold = coverage.recommend(chosen_on.confidence, chosen_on.correct).threshold
    return View(
        predictions=predictions,
        evaluations={split: measure(answers) for split, answers in predictions.items()},
        before={split: calibration(answers.divided_by(1 / temperature)) for split, answers in shown.items()},
        after={split: calibration(answers) for split, answers in shown.items()},
        threshold=threshold,
        answered={
            split: coverage.answered(answers.confidence, answers.correct, threshold) for split, answers in shown.items()
        },
    )


def _as_json(evaluations: dict[str, Evaluation]) -> dict[str, Any]:
    return {split: figures.as_json() for split, figures in evaluations.items()}
