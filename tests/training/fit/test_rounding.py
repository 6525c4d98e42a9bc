"""Weights in 8 bits."""

import numpy as np
import tensorflow as tf

from training.fit import rounding


def kernel(name: str = "dense/kernel") -> tf.Variable:
    return tf.Variable(np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32), name=name)


def test_rounding_is_within_half_a_step_of_each_output_channel() -> None:
    rounded, exact = kernel(), kernel().numpy()
    rounding.round_weights([rounded])
    step = np.abs(exact).max(axis=0) / 127
    assert 0 < np.abs(rounded.numpy() - exact).max() <= step.max() / 2 * 1.001
    assert (np.abs(rounded.numpy() - exact) <= step / 2 * 1.001).all()


def test_embeddings_have_a_step_for_each_row() -> None:
    assert rounding.steps(kernel("word_embeddings/embeddings")).shape == (64, 1)
    assert rounding.steps(kernel()).shape == (1, 64)


def test_what_is_stored_gives_the_rounded_weights_back() -> None:
    rounded = kernel()
    rounding.round_weights([rounded])
    again = rounding.multiples(rounded) * rounding.steps(rounded)
    np.testing.assert_allclose(again, rounded.numpy(), rtol=1e-6)


def test_small_and_other_variables_stay_as_they_are() -> None:
    bias, whole = tf.Variable(tf.random.normal([8192])), tf.Variable(tf.ones([128, 128], tf.int32))
    before = bias.numpy()
    rounding.round_weights([bias, whole])
    np.testing.assert_array_equal(bias.numpy(), before)


def test_channel_of_zeros_stays_zero() -> None:
    zeros = tf.Variable(tf.zeros([64, 64]), name="kernel")
    rounding.round_weights([zeros])
    assert not zeros.numpy().any()
