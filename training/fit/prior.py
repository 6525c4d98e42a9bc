"""A shift of the logits by what is known before the text is read: the role, and the previous turn.

float32 [3, 12, 11]: role (unknown, then `ROLES`), intent of the previous turn (by index, last = unknown), intent. An
intent that a role never has in the training dialogues is masked. Half of
log P(intent | previous intent, role) - log P(intent) is added, where the classifier guesses the previous intent.
"""

import numpy as np
import pandas as pd
import tensorflow as tf

from training.data.dataset import ROLES
from training.data.intents import INTENTS

UNKNOWN = len(INTENTS)
# Becomes 0 in the softmax, and is finite.
MASKED = -1e4
# Much of this evidence is in the text already; with 1 it would count twice.
SHARE = 0.5


def none() -> np.ndarray:
    """A shift that changes nothing."""
    return np.zeros((1 + len(ROLES), len(INTENTS) + 1, len(INTENTS)), np.float32)


def learn(rows: pd.DataFrame) -> np.ndarray:
    """Counts roles and successions in a table of turns, columns as `training.dataset` has them, in dialogue order."""
    intents = rows["intent"].map(INTENTS.index).to_numpy()
    before = rows.groupby("conversation_id").shift(1)
    # A turn without a label may stand between two rows.
    follows = (before["text"] == rows["previous"]).to_numpy()
    previous = np.where(follows, np.roll(intents, 1), UNKNOWN)
    shift = none()
    overall = _shares(np.bincount(intents, minlength=len(INTENTS)))
    for role in range(len(shift)):
        chosen = np.ones(len(rows), bool) if role == 0 else (rows["role"] == ROLES[role - 1]).to_numpy()
        for state in range(UNKNOWN):
            counts = np.bincount(intents[chosen & (previous == state)], minlength=len(INTENTS))
            shift[role, state] = SHARE * (np.log(_shares(counts)) - np.log(overall))
        if role:
            shift[role, :, np.bincount(intents[chosen], minlength=len(INTENTS)) == 0] = MASKED
    return shift


def _shares(counts: np.ndarray) -> np.ndarray:
    # Add-one smoothing: what was never seen is unlikely, not impossible.
    shares: np.ndarray = (counts + 1) / (counts + 1).sum()
    return shares


def shift(prior: tf.Tensor, role: tf.Tensor, previous: tf.Tensor, previous_logits: tf.Tensor) -> tf.Tensor:
    """Roles and previous texts, string [rows], and the logits of those texts, [rows, 11] -> float32 [rows, 11]."""
    is_role = tf.cast(tf.equal(role[:, tf.newaxis], tf.constant(ROLES)[tf.newaxis, :]), tf.int64)
    which_role = tf.reduce_sum(is_role * tf.range(1, len(ROLES) + 1, dtype=tf.int64), axis=1)
    said = tf.argmax(previous_logits, axis=1)
    state = tf.where(tf.equal(tf.strings.length(previous), 0), tf.constant(UNKNOWN, tf.int64), said)
    return tf.gather_nd(prior, tf.stack([which_role, state], axis=1))
