"""Role and previous text as the second segment of a row."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from training.fit import context


@pytest.fixture(scope="module")
def preprocess(tiny_pair: Path) -> object:
    return hub.load(str(tiny_pair / "preprocess"))


def segment(*pairs: tuple[str, str]) -> list[str]:
    roles, previous = zip(*pairs, strict=True)
    return [value.decode() for value in context.second_segment(tf.constant(roles), tf.constant(previous)).numpy()]


def test_second_segment_holds_what_is_known() -> None:
    assert segment(("student", "Stir."), ("teacher", ""), ("", "Stir."), ("", "")) == [
        "student Stir.",
        "teacher",
        "Stir.",
        "",
    ]


def test_any_other_role_is_unknown() -> None:
    assert segment(("chef", "Stir."), ("Student", "")) == ["Stir.", ""]


@pytest.mark.parametrize("length", [8, 16, 96])
def test_empty_second_segment_leaves_the_row_of_the_text_alone(preprocess: object, length: int) -> None:
    texts = tf.constant(["stir", "stir " * 5, "stir " * 6, "stir " * 40, ""])
    alone = context.pack(preprocess, [texts], length)
    beside = context.pack(preprocess, [texts, tf.constant(["", "", "", "", ""])], length)
    for name, values in alone.items():
        width = values.shape[1]
        np.testing.assert_array_equal(beside[name][:, :width], values)
        assert not beside[name][:, width:].numpy().any()


def test_rows_with_and_without_context_share_a_batch(preprocess: object) -> None:
    packed = context.pack(preprocess, [tf.constant(["stir", "stir"]), tf.constant(["", "mix mix"])], 96)
    assert packed["input_mask"].numpy().sum(axis=1).tolist() == [3, 6]
    assert packed["input_type_ids"].numpy().sum(axis=1).tolist() == [0, 3]


@pytest.mark.parametrize(("words", "padded"), [(1, 8), (6, 8), (7, 16), (400, 64)])
def test_padding_follows_the_longest_row_in_steps_of_8(preprocess: object, words: int, padded: int) -> None:
    packed = context.pack(preprocess, [tf.constant(["stir " * words, "stir"])], 64)
    assert packed["input_word_ids"].shape == (2, padded)


def test_broken_utf8_and_no_rows_are_packed(preprocess: object) -> None:
    assert context.pack(preprocess, [tf.constant([b"\xff\xfe"])], 64)["input_mask"].numpy().sum() > 2
    assert context.pack(preprocess, [tf.constant([], tf.string)], 64)["input_mask"].shape == (0, 8)
