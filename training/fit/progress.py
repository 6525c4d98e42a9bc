"""The state that an unfinished training run keeps, to go on with the epoch that was interrupted.

identity.json   recipe, data and encoder of the run; another run starts afresh
history.json    the figures of the finished epochs
last-*          model and optimizer after the last finished epoch
best-*          the model after the best one
logs/           for TensorBoard
"""

import json
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

History = dict[str, list[float]]


def prepare(directory: Path, identity: dict[str, Any]) -> None:
    """Makes the directory. The state of a run with another identity is removed."""
    words = json.dumps(identity, indent=2, sort_keys=True) + "\n"
    file = directory / "identity.json"
    if file.exists() and file.read_text() == words:
        return
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    file.write_text(words)


class Progress:
    """The state of one run in its directory; continues what an earlier process left there."""

    def __init__(self, directory: Path, model: tf_keras.Model) -> None:
        self._history_file = directory / "history.json"
        self._last = tf.train.Checkpoint(model=model, optimizer=model.optimizer, epochs=tf.Variable(0, tf.int64))
        self._manager = tf.train.CheckpointManager(self._last, str(directory), 1, checkpoint_name="last")
        self._best = tf.train.Checkpoint(model=model)
        self._best_path = str(directory / "best")
        self._logs = tf.summary.create_file_writer(str(directory / "logs"))
        self.history: History = {}
        # Built now, so that the optimizer's variables exist when their values are restored.
        model.optimizer.build(model.trainable_variables)
        if self._manager.restore_or_initialize():
            finished = json.loads(self._history_file.read_text())
            # The figures of an epoch may have been written and its checkpoint not.
            self.history = {name: values[: self.epochs] for name, values in finished.items()}

    @property
    def epochs(self) -> int:
        """How many are finished."""
        return int(self._last.epochs.numpy())

    @property
    def best_epoch(self) -> int:
        """The first epoch, from 0, of the highest validation accuracy; of equal ones that of the lowest loss."""
        figures = zip(self.history["val_accuracy"], self.history["val_loss"], strict=True)
        return min(enumerate(figures), key=lambda epoch: (-epoch[1][0], epoch[1][1]))[0]

    def finish_epoch(self, figures: dict[str, float]) -> None:
        """Keeps figures and models of the epoch. An interruption before the checkpoint, the last step, repeats it."""
        for name, value in figures.items():
            self.history.setdefault(name, []).append(value)
        if self.best_epoch == self.epochs:
            self._best.write(self._best_path)
        part = self._history_file.with_suffix(".part")
        part.write_text(json.dumps(self.history, indent=2) + "\n")
        part.replace(self._history_file)
        with self._logs.as_default():
            for name, value in figures.items():
                tf.summary.scalar(name, value, step=self.epochs)
        self._logs.flush()
        self._last.epochs.assign_add(1)
        self._manager.save()

    def restore_best(self) -> None:
        """Sets the model to its best epoch."""
        self._best.read(self._best_path).expect_partial()
