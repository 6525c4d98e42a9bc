"""One training run: from data to a finished classifier directory, in a workspace that survives an interruption."""

import dataclasses
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from training.data.dataset import SPLITS, Dataset
from training.data.intents import INTENTS
from training.encoder.encoders import Encoder
from training.fit import classifier, progress
from training.fit.classifier import Description, TrainedClassifier
from training.fit.fit import fit
from training.fit.recipe import Recipe
from training.report import calibration, report
from training.report.assessment import assess


@dataclass(frozen=True)
class Run:
    """What a run is made of. The same again goes on where it stopped; anything else starts afresh."""

    recipe_name: str
    recipe: Recipe
    pair: Encoder
    data: Dataset

    def finish(self, workspace: Path, say: Callable[[str], None]) -> Path:
        """Trains, calibrates, assesses and writes the classifier; returns its directory in the workspace.

        Raises:
            DataError, EncoderError, TrainingError: see `training.fit`.
        """
        state = workspace / f"seed-{self.recipe.seed}"
        finished = state / "classifier"
        progress.prepare(state, self._identity())
        if not finished.exists():
            # Whole or not at all: what is found under the name is finished.
            part = Path(tempfile.mkdtemp(dir=state))
            self._write(part, state, say)
            part.rename(finished)
        return finished

    def _identity(self) -> dict[str, object]:
        rows = {split: len(self.data.split(split)) for split in SPLITS}
        return {
            "recipe": asdict(self.recipe),
            "encoder": asdict(self.pair),
            "data": self.data.checksums,
            "rows": rows,
            "versions": report.versions(),
        }

    def _write(self, part: Path, state: Path, say: Callable[[str], None]) -> None:
        recipe, data = self.recipe, self.data
        fitted = fit(self.pair, recipe, data.split("train"), data.split("validation"), state, say)
        description = Description(
            encoder=self.pair.name,
            labels=INTENTS,
            sequence_length=recipe.sequence_length,
            context=recipe.context,
            temperature=1.0,
            weights=recipe.weights,
        )
        classifier.save(fitted.trained, fitted.prior, description, part)
        trained = classifier.load(part)
        if recipe.calibrate:
            description = dataclasses.replace(description, temperature=_temperature(trained, data))
            classifier.describe(description, part)
            trained = dataclasses.replace(trained, description=description)
        say("measuring it on all splits")
        assessment = assess(trained, data)
        training = {
            "data": {
                "rows": len(data.table),
                "splits": {split: figures.rows for split, figures in assessment.text.evaluations.items()},
                "domains": sorted(data.table["domain"].unique()),
                "dropped": data.dropped,
                "checksums": data.checksums,
            },
            "encoder": self.pair.name,
            "recipe_name": self.recipe_name,
            "recipe": asdict(recipe),
            "parameters": fitted.trained.trainable_parameters,
            "minutes": sum(fitted.history["seconds"]) / 60,
            "epoch": fitted.epoch + 1,
            "history": fitted.history,
            "versions": report.versions(),
        }
        report.write(part, training, assessment)
        shutil.copytree(state / "logs", part / "logs")
        # mkdtemp's mode is for its owner alone.
        part.chmod(0o755)


def _temperature(trained: TrainedClassifier, data: Dataset) -> float:
    """One for both ways to ask, with context and without: fitted on the validation rows of both."""
    rows = data.split("validation")
    asked = [trained.logits(rows["text"])]
    if trained.context != "none":
        asked.append(trained.logits(rows["text"], rows["role"], rows["previous"]))
    true = rows["intent"].map(INTENTS.index).to_numpy()
    return calibration.fit_temperature(np.concatenate(asked), np.tile(true, len(asked)))
