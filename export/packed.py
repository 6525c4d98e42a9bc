"""The encoder as it is served: the arithmetic of `training.encoder.bert`, without its padding.

Rows of a batch differ in length, and the usual encoder computes every row as long as the longest one. Here the word
pieces of a batch are concatenated, [pieces, hidden], for everything that treats each piece by itself, which is nearly
all of the cost. Only the attention pads rows, in two groups of similar length.

If only [CLS] is pooled, the last block is computed for that piece alone.

With reduced precision the dense layers and the attention are computed in bfloat16; sums of residuals, layer norms and
pooling stay in float32.
"""

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from export.errors import PrecisionError
from training.encoder.bert import LAYER_NORM_EPSILON, MASKED, BertConfig, Inputs, config_of

# Rows are sorted by length and cut into so many groups for the attention. Each costs some dozen ops a block, which a
# single row pays as well: two are free there and save a tenth of a batch of 32, four save 15 % and cost 5 % of a row.
GROUPS = 2


@dataclass(frozen=True)
class _Group:
    """Rows that are padded to the same length.

    Attributes:
        rows: int32 [rows, 1], which rows of the batch they are.
        pieces: int32 [rows, length], which piece of the batch stands there; any where there is none.
        bias: [rows, 1, 1, length], added to the scores: 0, or MASKED where there is no piece.
    """

    rows: tf.Tensor
    pieces: tf.Tensor
    bias: tf.Tensor


@dataclass(frozen=True)
class _Layout:
    """Where the pieces of a batch are.

    Attributes:
        row, position: int32 [pieces], of each piece: its row, and its place in it.
        first, lengths: int32 [rows], of each row: the piece it begins with, and how many it has.
        groups: all rows, sorted by length.
        place: int32 [pieces], where each piece is when the groups, padded, are laid out one after the other.
        row_place: int32 [rows], where each row is in that order.
    """

    row: tf.Tensor
    position: tf.Tensor
    first: tf.Tensor
    lengths: tf.Tensor
    groups: tuple[_Group, ...]
    place: tf.Tensor
    row_place: tf.Tensor


def served(encoder: Any, precision: str) -> Any:
    """The encoder to export: without padding if its architecture is known, else as it is.

    Raises:
        PrecisionError: it is not known, and another precision than float32 is asked for.
    """
    config = config_of(encoder)
    if config is not None:
        return PackedEncoder(encoder, config, tf.dtypes.as_dtype(precision))
    if precision != "float32":
        raise PrecisionError(f"{precision} needs an encoder that this project wrote (--encoder minilm); leave it out")
    return encoder


class PackedEncoder:
    """Called like the encoder that it stands for; gives `pooled_output` only.

    Attributes:
        trained: the encoder's variables, float32.
        variables: what is computed with, in the same order: those themselves, or copies of another precision.
    """

    def __init__(self, encoder: Any, config: BertConfig, precision: tf.DType) -> None:
        self.trained: list[tf.Variable] = list(encoder.variables)
        self.variables = [_in_precision(variable, precision) for variable in self.trained]
        self._config = config
        self._precision = precision
        names = (variable.name.partition(":")[0] for variable in self.trained)
        self._weights = dict(zip(names, self.variables, strict=True))

    def __call__(self, inputs: Inputs) -> dict[str, tf.Tensor]:
        """`inputs`: int32 [rows, length] each -> float32 [rows, hidden]."""
        used = tf.where(inputs["input_mask"] > 0)
        layout = _layout(tf.cast(used, tf.int32), tf.reduce_sum(inputs["input_mask"], axis=1), self._precision)
        ids, types = (tf.gather_nd(inputs[name], used) for name in ("input_word_ids", "input_type_ids"))
        states = self._embed(ids, layout.position, types)
        last = self._config.layers - 1
        for index in range(last):
            states = self._transform(f"layer_{index}", states, states, layout)
        if self._config.pooler:
            first = self._transform(f"layer_{last}", tf.gather(states, layout.first), states, layout)
            return {"pooled_output": tf.tanh(_float32(self._affine("pooler_transform", first)))}
        states = self._transform(f"layer_{last}", states, states, layout)
        total = tf.math.unsorted_segment_sum(states, layout.row, tf.shape(layout.lengths)[0])
        return {"pooled_output": tf.math.divide_no_nan(total, tf.cast(layout.lengths, tf.float32)[:, tf.newaxis])}

    def _embed(self, ids: tf.Tensor, positions: tf.Tensor, types: tf.Tensor) -> tf.Tensor:
        looked_up = (("word", ids), ("position", positions), ("type", types))
        parts = [tf.gather(self._weights[f"{name}_embeddings/embeddings"], which) for name, which in looked_up]
        return self._norm("embeddings/layer_norm", tf.add_n(parts))

    def _transform(self, block: str, asking: tf.Tensor, states: tf.Tensor, layout: _Layout) -> tf.Tensor:
        """One block for the pieces `asking`, which attend to `states`: the same ones, or the first of every row."""
        attended = self._attend(f"{block}/attention", asking, states, layout)
        asking = self._norm(f"{block}/attention/layer_norm", asking + _float32(attended))
        inner = _gelu(self._affine(f"{block}/intermediate", asking), self._config.approximate_gelu)
        outer = _float32(self._affine(f"{block}/output", inner))
        return self._norm(f"{block}/output/layer_norm", asking + outer)

    def _attend(self, name: str, asking: tf.Tensor, states: tf.Tensor, layout: _Layout) -> tf.Tensor:
        heads, size = self._config.heads, self._config.hidden // self._config.heads
        query = self._affine(f"{name}/query", asking) * (1.0 / math.sqrt(size))
        key, value = self._affine(f"{name}/key", states), self._affine(f"{name}/value", states)

        def split(values: tf.Tensor, pieces: tf.Tensor) -> tf.Tensor:  # -> [rows, heads, length, size]
            shape = tf.concat([tf.shape(pieces), [heads, size]], axis=0)
            return tf.transpose(tf.reshape(tf.gather(values, pieces), shape), [0, 2, 1, 3])

        every_piece = asking is states
        mixed = []
        for group in layout.groups:
            asked = split(query, group.pieces if every_piece else group.rows)
            scores = tf.matmul(asked, split(key, group.pieces), transpose_b=True)
            weighted = tf.matmul(tf.nn.softmax(scores + group.bias), split(value, group.pieces))
            mixed.append(tf.reshape(tf.transpose(weighted, [0, 2, 1, 3]), [-1, self._config.hidden]))
        place = layout.place if every_piece else layout.row_place
        return self._affine(f"{name}/output", tf.gather(tf.concat(mixed, axis=0), place))

    def _affine(self, name: str, values: tf.Tensor) -> tf.Tensor:
        values = tf.cast(values, self._precision)
        return tf.nn.bias_add(tf.matmul(values, self._weights[f"{name}/kernel"]), self._weights[f"{name}/bias"])

    def _norm(self, name: str, values: tf.Tensor) -> tf.Tensor:
        mean, variance = tf.nn.moments(values, axes=[-1], keepdims=True)
        beta, gamma = self._weights[f"{name}/beta"], self._weights[f"{name}/gamma"]
        return tf.nn.batch_normalization(values, mean, variance, beta, gamma, LAYER_NORM_EPSILON)


def _float32(values: tf.Tensor) -> tf.Tensor:
    # Written out by whoever adds, since TensorFlow never adds numbers of different types.
    return tf.cast(values, tf.float32)


def _in_precision(variable: tf.Variable, precision: tf.DType) -> tf.Variable:
    is_dense = variable.name.partition(":")[0].endswith(("/kernel", "/bias"))
    if not is_dense or variable.dtype == precision:
        return variable
    return tf.Variable(tf.cast(variable, precision), trainable=False)


def _layout(used: tf.Tensor, lengths: tf.Tensor, precision: tf.DType) -> _Layout:
    """`used`: int32 [pieces, 2], row and position of each piece, in order; `lengths`: int32 [rows]."""
    row, position = tf.unstack(used, axis=1)
    rows = tf.shape(lengths)[0]
    first = tf.cumsum(lengths, exclusive=True)
    order = tf.argsort(lengths)
    groups, padded = [], []
    for index in range(GROUPS):
        members = order[rows * index // GROUPS : rows * (index + 1) // GROUPS]
        size = tf.gather(lengths, members)[:, tf.newaxis]
        # The 0 stands in for the longest row of an empty group.
        longest = tf.reduce_max(tf.concat([tf.reshape(size, [-1]), [0]], axis=0))
        offset = tf.range(longest)[tf.newaxis, :]
        is_piece = offset < size
        pieces = tf.where(is_piece, tf.gather(first, members)[:, tf.newaxis] + offset, 0)
        bias = tf.cast(tf.where(is_piece, 0.0, MASKED), precision)[:, tf.newaxis, tf.newaxis, :]
        groups.append(_Group(members[:, tf.newaxis], pieces, bias))
        padded.append(tf.fill([tf.shape(members)[0]], longest))
    begin = tf.cumsum(tf.concat(padded, axis=0), exclusive=True)
    row_place = tf.math.invert_permutation(order)
    place = tf.gather(tf.gather(begin, row_place), row) + position
    return _Layout(row, position, first, lengths, tuple(groups), place, row_place)


def _gelu(values: tf.Tensor, approximate: bool) -> tf.Tensor:
    if approximate:
        return tf.nn.gelu(values, approximate=True)
    # Not tf.nn.gelu, whose erfc is slower and is not fused with the matrix product where the runtime could.
    with tf.name_scope("Gelu"):
        return 0.5 * values * (1.0 + tf.math.erf(values * math.sqrt(0.5)))
