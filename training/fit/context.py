"""Dialogue context as the second segment of a row: the role of the speaker, and the turn before.

[CLS] text [SEP] role previous [SEP]. What is unknown is left out. If both are unknown there is no second segment, so a
row without context is the same as the row of its text alone. Works with any hub-shaped preprocessing, in a graph and
outside.
"""

from typing import Any

import tensorflow as tf

from training.data.dataset import ROLES

Packed = dict[str, tf.Tensor]

# Lengths are padded to a multiple of this: every distinct shape costs memory and a slow first run.
LENGTH_MULTIPLE = 8
# [CLS] and [SEP] around the pieces of a text.
SPECIAL_PIECES = 2


def second_segment(role: tf.Tensor, previous: tf.Tensor) -> tf.Tensor:
    """Role and previous text, string [rows] each -> string [rows]. A role that is none of `ROLES` is unknown."""
    known = tf.reduce_any(tf.equal(role[:, tf.newaxis], tf.constant(ROLES)[tf.newaxis, :]), axis=1)
    return tf.strings.strip(tf.strings.join([tf.where(known, role, ""), previous], separator=" "))


def pack(preprocess: Any, segments: list[tf.Tensor], sequence_length: int) -> Packed:
    """Texts, and perhaps their second segments, string [rows] each -> packed inputs, int32 [rows, length] each.

    The length is the longest row's, up to a multiple of 8, at most `sequence_length` and one piece more for the second
    segment's [SEP]. Longer rows are cut, both segments in turn.
    """
    tokens = [preprocess.tokenize(_clean(segment)) for segment in segments]
    # Hub's preprocessing gives pieces by word, [rows, (words), (pieces)].
    lengths = [(row.merge_dims(1, -1) if row.ragged_rank > 1 else row).row_lengths() for row in tokens]
    most = sequence_length + len(segments) - 1
    # The 0 is for a batch without rows.
    longest = tf.reduce_max(tf.concat([sum(lengths), [0]], axis=0)) + SPECIAL_PIECES + len(segments) - 1
    rounded = tf.minimum(-(-longest // LENGTH_MULTIPLE) * LENGTH_MULTIPLE, most)
    packed = preprocess.bert_pack_inputs(tokens, seq_length=tf.cast(rounded, tf.int32))
    return packed if len(segments) == 1 else _without_empty_segment(packed, lengths[1])


def _clean(text: tf.Tensor) -> tf.Tensor:
    # One row of invalid UTF-8 would fail the whole batch.
    return tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")


def _without_empty_segment(packed: Packed, lengths: tf.Tensor) -> Packed:
    """Replaces the [SEP] after an empty second segment by padding."""
    pieces = tf.reduce_sum(packed["input_mask"], axis=1, keepdims=True) - tf.cast(lengths == 0, tf.int32)[:, tf.newaxis]
    kept = tf.cast(tf.range(tf.shape(packed["input_mask"])[1])[tf.newaxis, :] < pieces, tf.int32)
    # 0 is [PAD], an unset mask and the first segment's type.
    return {name: values * kept for name, values in packed.items()}
