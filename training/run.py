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
from training.report.metrics import Data, Origin
from training.report.predictions import predict


@dataclass(frozen=True)
class Run:
    """What a run is made of. An equal run goes on where this one stopped; a different one starts afresh."""

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
            # Written under another name, so that a directory named `classifier` is always complete.
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
        origin = Origin(
            data=Data(
                rows=len(data.table),
                splits={name: len(rows) for name in SPLITS if not (rows := data.split(name)).empty},
                domains=sorted(data.table["domain"].unique()),
                dropped=data.dropped,
                checksums=data.checksums,
            ),
            encoder=self.pair.name,
            recipe_name=self.recipe_name,
            recipe=recipe,
            parameters=fitted.trained.trainable_parameters,
            minutes=sum(fitted.history["seconds"]) / 60,
            epoch=fitted.epoch + 1,
            history=fitted.history,
            versions=report.versions(),
        )
        report.write(part, origin, assess(trained, data))
        shutil.copytree(state / "logs", part / "logs")
        # mkdtemp makes directories that only their owner can read.
        part.chmod(0o755)


def _temperature(trained: TrainedClassifier, data: Dataset) -> float:
    """One temperature for both ways to ask, fitted on the validation rows asked in both."""
    asked = [predict(trained, data)["validation"]]
    if trained.context != "none":
        asked.append(predict(trained, data, with_context=True)["validation"])
    return calibration.fit_temperature(
        np.concatenate([answers.logits for answers in asked]), np.concatenate([answers.true for answers in asked])
    )
