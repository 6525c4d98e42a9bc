"""Everything that is measured of a trained classifier, and of the baselines it must beat, on one data set."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from training.data.dataset import Dataset
from training.report import baselines, coverage
from training.report.coverage import Answered
from training.report.duplicates import Duplicates, duplicates
from training.report.evaluate import Evaluation, measure
from training.report.intervals import Intervals, gain
from training.report.metrics import TEXT_ALONE, WITH_CONTEXT
from training.report.predictions import Classifier, Predictions, predict
from training.report.review import confident_errors


@dataclass(frozen=True)
class View:
    """One way to ask the classifier, from the text alone or with role and previous turn, and its figures by split.

    Attributes:
        before: figures of validation and test without the temperature.
        threshold: the recommended score to abstain below, chosen on validation.
        answered: the effect of the threshold on validation and test.
    """

    predictions: dict[str, Predictions]
    evaluations: dict[str, Evaluation]
    before: dict[str, Evaluation]
    threshold: float
    answered: dict[str, Answered]


@dataclass(frozen=True)
class Assessment:
    """What the report tells.

    Attributes:
        temperature: what the classifier divides its logits by.
        views: way to ask -> its figures; with context only if the classifier takes it.
        baselines: name -> split (validation and test) -> figures.
        gains: split -> name of a baseline, or text alone -> by how much this classifier, asked in its best way, is
            better.
        errors: the most confident wrong answers, asked in the best way, see `training.report.review`.
        duplicates: of all rows of the data set.
    """

    temperature: float
    views: dict[str, View]
    baselines: dict[str, dict[str, Evaluation]]
    gains: dict[str, dict[str, Intervals]]
    errors: pd.DataFrame
    duplicates: Duplicates

    @property
    def shown(self) -> list[str]:
        """The splits that were not trained on."""
        return list(self.gains)

    def figures(self) -> dict[str, Any]:
        """The part of metrics.json that was measured."""
        keys = {TEXT_ALONE: "splits", WITH_CONTEXT: "dialogue"}
        return {
            **{keys[name]: view.evaluations for name, view in self.views.items()},
            "baselines": self.baselines,
            "gains": self.gains,
            "temperature": self.temperature,
            "calibration": {
                name: {"threshold": view.threshold, "before": view.before, "answered": view.answered}
                for name, view in self.views.items()
            },
            "duplicates": {
                "agreement": self.duplicates.agreement,
                "by_role": self.duplicates.by_role,
                "conflicting_texts": len(self.duplicates.conflicts),
            },
        }


def assess(classifier: Classifier, dataset: Dataset) -> Assessment:
    """Measures a classifier on a data set that has training and validation rows."""
    asked = {TEXT_ALONE: predict(classifier, dataset)}
    if classifier.context != "none":
        asked[WITH_CONTEXT] = predict(classifier, dataset, with_context=True)
    *worse, best = asked
    beside = baselines.predict(dataset, classifier.labels)
    held_against = beside | {name: asked[name] for name in worse}
    shown = [split for split in asked[best] if split != "train"]
    return Assessment(
        temperature=classifier.temperature,
        views={name: _view(predictions, classifier.temperature, shown) for name, predictions in asked.items()},
        baselines={name: {split: measure(answers[split]) for split in shown} for name, answers in beside.items()},
        gains={
            split: {name: gain(asked[best][split], answers[split]) for name, answers in held_against.items()}
            for split in shown
        },
        errors=confident_errors(asked[best]),
        duplicates=duplicates(dataset.table),
    )


def _view(predictions: dict[str, Predictions], temperature: float, shown: list[str]) -> View:
    confident = {split: (answers.confidence, answers.correct) for split, answers in predictions.items()}
    threshold = coverage.recommend(*confident["validation"]).threshold
    return View(
        predictions=predictions,
        evaluations={split: measure(answers) for split, answers in predictions.items()},
        before={split: measure(predictions[split].divided_by(1 / temperature)) for split in shown},
        threshold=threshold,
        answered={split: coverage.answered(*confident[split], threshold) for split in shown},
    )
