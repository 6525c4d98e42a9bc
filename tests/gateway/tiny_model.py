"""A real SavedModel of the contract, a few kilobytes small, whose answers a test can work out by itself."""

from dataclasses import dataclass
from pathlib import Path

PROBABILITY = 0.75
"""Of the label it chose."""
NOT_A_NUMBER = "not a number"
"""The text whose probability is NaN."""
ROLES = ("", "student", "teacher")
"""What may arrive as a role: what is not known is empty."""


def probability(role: str = "", previous: str = "") -> float:
    """Of the label it chose: a hundredth less for each step in `ROLES`, a ten-thousandth for each character before.

    So the score tells what arrived beside the text; a role that should not arrive as it is has a score of its own.
    """
    step = ROLES.index(role) if role in ROLES else len(ROLES)
    return round(PROBABILITY - step / 100 - len(previous) / 10_000, 6)


@dataclass(frozen=True)
class TinyModel:
    """Chooses the index (characters of the text + shift) modulo number of names, whatever is around the text."""

    names: tuple[str, ...]
    shift: int = 0
    has_labels: bool = True
    has_label_set: bool = True
    has_dialogue: bool = True

    def intent(self, text: str) -> str:
        """What it says about the text."""
        return self.names[(len(text) + self.shift) % len(self.names)]

    def publish(self, base_path: Path, version: int) -> Path:
        """Writes `base_path/<version>` whole or not at all, as the model server needs it. Returns that directory."""
        import tensorflow as tf

        from export.label_set import label_set

        module = tf.Module()
        count = len(self.names)

        def fingerprint(rows):
            return tf.fill(tf.shape(rows), tf.constant(label_set(self.names), tf.int64))

        def answer(text, chosen_probability):
            index = (tf.strings.length(text, "UTF8_CHAR") + self.shift) % count
            highest = tf.where(text == NOT_A_NUMBER, float("nan"), chosen_probability)[:, tf.newaxis]
            rest = (1 - highest) / max(count - 1, 1)
            chosen = tf.one_hot(index, count, on_value=True, off_value=False, dtype=tf.bool)
            outputs = {"probabilities": tf.where(chosen, highest, rest), "label_index": tf.cast(index, tf.int64)}
            return outputs | ({"label_set": fingerprint(index)} if self.has_label_set else {})

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
        def serving_default(text):
            return answer(text, PROBABILITY)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name) for name in ("text", "role", "previous")])
        def dialogue(text, role, previous):
            steps = tf.fill(tf.shape(role), float(len(ROLES)))
            for step, name in enumerate(ROLES):
                steps = tf.where(role == name, float(step), steps)
            characters = tf.cast(tf.strings.length(previous, "UTF8_CHAR"), tf.float32)
            return answer(text, PROBABILITY - steps / 100 - characters / 10_000)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, "label_index")])
        def labels(label_index):
            return {"intent": tf.gather(tf.constant(self.names), label_index), "label_set": fingerprint(label_index)}

        signatures = {"serving_default": serving_default} | ({"labels": labels} if self.has_labels else {})
        signatures |= {"dialogue": dialogue} if self.has_dialogue else {}
        # Its name is no number, so the model server does not see it.
        sibling = base_path / f"{version}.writing"
        tf.saved_model.save(module, str(sibling), signatures=signatures)
        return sibling.rename(base_path / str(version))
