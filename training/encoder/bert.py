"""A BERT encoder, written as a SavedModel with the interface of TensorFlow Hub's ("hub-shaped").

The interface is Hub's "transformer encoder": a dict of `input_word_ids`, `input_mask` and `input_type_ids`
(int32 [batch, length]) to a dict of `pooled_output` [batch, hidden], `sequence_output` [batch, length, hidden],
`encoder_outputs` (one such per layer) and `default` (the pooled output), all float32. Any length up to 512.

The architecture is Devlin et al. 2018 (post-layer-norm), with as many parameters as Hub's `small_bert`. One function is
added to Hub's interface: `architecture` gives the BertConfig, with which `export` writes the same arithmetic without
padding.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

# A variable's full name, such as "layer_0/attention/query/kernel", and its shape -> its first value.
Weights = Callable[[str, tuple[int, ...]], tf.Tensor]
Inputs = dict[str, tf.Tensor]
# Name of a layer -> its kernel and bias, or gamma and beta.
Block = dict[str, list[tf.Variable]]

INPUTS = ("input_word_ids", "input_mask", "input_type_ids")
# BERT's own value, and that of MiniLM's config.json.
LAYER_NORM_EPSILON = 1e-12
# Added to the attention scores of padding: becomes 0 in the softmax, and is finite in half precision.
MASKED = -1e4


@dataclass(frozen=True)
class BertConfig:
    """The size of an encoder, in BERT's terms.

    Attributes:
        layers: transformer blocks (L).
        hidden: width of a token (H).
        heads: attention heads (A); divides `hidden`.
        pooler: True: tanh(dense([CLS])), as BERT pools; False: mean over the tokens, as sentence-transformers do.
        approximate_gelu: the tanh approximation, as in Hub's encoders; else the exact erf, as in MiniLM.
        dropout: on embeddings, attention and both outputs of a block, in training only.
    """

    layers: int
    hidden: int
    heads: int
    vocabulary: int = 30522
    positions: int = 512
    pooler: bool = True
    approximate_gelu: bool = True
    dropout: float = 0.1


def random_weights(seed: int = 0) -> Weights:
    """BERT's own initialisation: truncated normal 0.02, biases 0, layer-norm scales 1."""
    generator = tf.random.Generator.from_seed(seed)

    def weights(name: str, shape: tuple[int, ...]) -> tf.Tensor:
        if name.endswith("gamma"):
            return tf.ones(shape)
        if name.endswith(("beta", "bias")):
            return tf.zeros(shape)
        return generator.truncated_normal(shape, stddev=0.02)

    return weights


class BertEncoder(tf.Module):
    """The encoder; calling it gives Hub's four outputs."""

    def __init__(self, config: BertConfig, weights: Weights) -> None:
        super().__init__(name="bert")
        self.config = config
        self._weights = weights
        hidden = config.hidden
        self.word_embeddings = self._variable("word_embeddings/embeddings", (config.vocabulary, hidden))
        self.position_embeddings = self._variable("position_embeddings/embeddings", (config.positions, hidden))
        self.type_embeddings = self._variable("type_embeddings/embeddings", (2, hidden))
        self.embedding_norm = self._norm("embeddings/layer_norm")
        self.blocks = [self._block(f"layer_{index}") for index in range(config.layers)]
        self.pooler = self._dense("pooler_transform", hidden, hidden) if config.pooler else []

    def __call__(self, inputs: Inputs, training: bool = False) -> dict[str, tf.Tensor | list[tf.Tensor]]:
        """`inputs`: int32 [batch, length] each; `training` switches dropout on."""
        mask = tf.cast(inputs["input_mask"], tf.float32)
        states = self._embed(inputs, training)
        bias = ((1.0 - mask) * MASKED)[:, tf.newaxis, tf.newaxis, :]
        outputs = []
        for block in self.blocks:
            states = self._transform(block, states, bias, training)
            outputs.append(states)
        if self.pooler:
            pooled = tf.tanh(_affine(states[:, 0, :], self.pooler))
        else:
            # divide_no_nan: a row of padding only (there is none from the preprocessing) pools to zeros, not NaN.
            pooled = tf.math.divide_no_nan(
                tf.einsum("blh,bl->bh", states, mask), tf.reduce_sum(mask, axis=1, keepdims=True)
            )
        return {"pooled_output": pooled, "sequence_output": states, "encoder_outputs": outputs, "default": pooled}

    def _embed(self, inputs: Inputs, training: bool) -> tf.Tensor:
        length = tf.shape(inputs["input_word_ids"])[1]
        states = (
            tf.gather(self.word_embeddings, inputs["input_word_ids"])
            + self.position_embeddings[tf.newaxis, :length, :]
            + tf.gather(self.type_embeddings, inputs["input_type_ids"])
        )
        return self._drop(_layer_norm(states, self.embedding_norm), training)

    def _transform(self, block: Block, states: tf.Tensor, bias: tf.Tensor, training: bool) -> tf.Tensor:
        """One transformer block: self-attention and feed-forward, each with residual and layer norm after it."""
        attended = self._attend(block, states, bias, training)
        states = _layer_norm(states + self._drop(attended, training), block["attention_norm"])
        inner = tf.nn.gelu(_affine(states, block["intermediate"]), approximate=self.config.approximate_gelu)
        outer = self._drop(_affine(inner, block["output"]), training)
        return _layer_norm(states + outer, block["output_norm"])

    def _attend(self, block: Block, states: tf.Tensor, bias: tf.Tensor, training: bool) -> tf.Tensor:
        shape = tf.shape(states)
        heads, size = self.config.heads, self.config.hidden // self.config.heads

        def split(name: str) -> tf.Tensor:  # [batch, length, hidden] -> [batch, heads, length, size]
            return tf.transpose(
                tf.reshape(_affine(states, block[name]), [shape[0], shape[1], heads, size]), [0, 2, 1, 3]
            )

        scores = tf.matmul(split("query") * (1.0 / math.sqrt(size)), split("key"), transpose_b=True)
        attention = self._drop(tf.nn.softmax(scores + bias), training)
        mixed = tf.transpose(tf.matmul(attention, split("value")), [0, 2, 1, 3])
        return _affine(tf.reshape(mixed, shape), block["attention_output"])

    def _drop(self, values: tf.Tensor, training: bool) -> tf.Tensor:
        return tf.nn.dropout(values, self.config.dropout) if training else values

    def _variable(self, name: str, shape: tuple[int, ...]) -> tf.Variable:
        return tf.Variable(self._weights(name, shape), name=name)

    def _norm(self, name: str) -> list[tf.Variable]:
        return [self._variable(f"{name}/{part}", (self.config.hidden,)) for part in ("gamma", "beta")]

    def _dense(self, name: str, inputs: int, outputs: int) -> list[tf.Variable]:
        return [self._variable(f"{name}/kernel", (inputs, outputs)), self._variable(f"{name}/bias", (outputs,))]

    def _block(self, name: str) -> Block:
        hidden, inner = self.config.hidden, 4 * self.config.hidden  # BERT's feed-forward is four times as wide
        return {
            **{part: self._dense(f"{name}/attention/{part}", hidden, hidden) for part in ("query", "key", "value")},
            "attention_output": self._dense(f"{name}/attention/output", hidden, hidden),
            "attention_norm": self._norm(f"{name}/attention/layer_norm"),
            "intermediate": self._dense(f"{name}/intermediate", hidden, inner),
            "output": self._dense(f"{name}/output", inner, hidden),
            "output_norm": self._norm(f"{name}/output/layer_norm"),
        }


def save_encoder(encoder: BertEncoder, path: Path) -> None:
    """Writes the encoder as a hub-shaped SavedModel, with traces for inference and for training."""
    root = tf.train.Checkpoint(encoder=encoder)
    # hub.KerasLayer trains what this attribute lists; without it the layer silently trains nothing.
    root.trainable_variables = list(encoder.trainable_variables)
    root.variables = list(encoder.variables)
    root.regularization_losses = []
    description = json.dumps(asdict(encoder.config))
    root.architecture = tf.function(lambda: tf.constant(description), input_signature=[])
    # Op seeds are fixed when the dropout is traced: the same seed then trains to the same metrics.
    tf.random.set_seed(0)
    call = tf.function(encoder.__call__)
    for training in (False, True):
        call.get_concrete_function({name: tf.TensorSpec([None, None], tf.int32) for name in INPUTS}, training=training)
    root.__call__ = call
    tf.saved_model.save(root, str(path))


def config_of(encoder: Any) -> BertConfig | None:
    """The configuration of an encoder that `save_encoder` wrote, also after loading and saving it again; else None."""
    if not hasattr(encoder, "architecture"):
        return None
    return BertConfig(**json.loads(encoder.architecture().numpy()))


def _affine(values: tf.Tensor, dense: list[tf.Variable]) -> tf.Tensor:
    """values @ kernel + bias over the last axis, as one matrix product of rank 2 (which oneDNN fuses with the bias)."""
    kernel, bias = dense
    flat = tf.nn.bias_add(tf.matmul(tf.reshape(values, [-1, kernel.shape[0]]), kernel), bias)
    return tf.reshape(flat, tf.concat([tf.shape(values)[:-1], [kernel.shape[1]]], axis=0))


def _layer_norm(values: tf.Tensor, norm: list[tf.Variable]) -> tf.Tensor:
    gamma, beta = norm
    mean, variance = tf.nn.moments(values, axes=[-1], keepdims=True)
    return tf.nn.batch_normalization(values, mean, variance, beta, gamma, LAYER_NORM_EPSILON)
