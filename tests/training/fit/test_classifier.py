"""The reference architecture over hub-shaped pairs, and the classifier directory."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from tests.tiny import save_pair
from training.data.intents import INTENTS
from training.encoder import encoders
from training.encoder.bert import INPUTS
from training.errors import ClassifierError, EncoderError
from training.fit import architecture, classifier, prior
from training.fit.classifier import Description

TEXTS = ["What's next?", "", "Drain the pasta and keep a cup of the water, please! " * 9, "ok"]


def test_reference_architecture_has_the_published_parameters(tmp_path: Path) -> None:
    save_pair(tmp_path, layers=2, hidden=256, heads=4)
    built = architecture.build(encoders.resolve(str(tmp_path)), dropout=0.1)
    assert built.trainable_parameters == 9_593_867
    assert built.model.count_params() == 9_593_867
    assert built.model(built.preprocess(tf.constant(TEXTS))).shape == (len(TEXTS), len(INTENTS))


def test_hub_shape_of_the_pair(tiny_pair: Path) -> None:
    preprocess, encoder = hub.load(str(tiny_pair / "preprocess")), hub.load(str(tiny_pair / "encoder"))
    packed = preprocess(tf.constant(TEXTS))
    assert {name: (value.dtype, value.shape) for name, value in packed.items()} == {
        name: (tf.int32, (len(TEXTS), 128)) for name in INPUTS
    }
    # [CLS] what ' s next ? [SEP]: ids of the uncased BERT vocabulary.
    assert packed["input_word_ids"][0, :8].numpy().tolist() == [101, 2054, 1005, 1055, 2279, 1029, 102, 0]
    assert packed["input_mask"][0].numpy().sum() == 7
    outputs = encoder(packed)
    assert outputs["pooled_output"].shape == outputs["default"].shape == (len(TEXTS), 16)
    assert outputs["sequence_output"].shape == (len(TEXTS), 128, 16)
    assert len(outputs["encoder_outputs"]) == 1


def test_two_segments_are_packed_and_trimmed_in_turn(tiny_pair: Path) -> None:
    preprocess = hub.load(str(tiny_pair / "preprocess"))
    first, second = (preprocess.tokenize(tf.constant([text])) for text in ("stir stir stir stir stir", "mix mix"))
    packed = preprocess.bert_pack_inputs([first, second], seq_length=tf.constant(8))
    stir, mix = first.flat_values[0].numpy(), second.flat_values[0].numpy()
    assert packed["input_word_ids"].numpy().tolist() == [[101, stir, stir, stir, 102, mix, mix, 102]]
    assert packed["input_type_ids"].numpy().tolist() == [[0, 0, 0, 0, 0, 1, 1, 1]]
    assert packed["input_mask"].numpy().tolist() == [[1] * 8]


def test_saved_classifier_answers_as_the_trained_one(tiny_pair: Path, tmp_path: Path) -> None:
    built = architecture.build(encoders.resolve(str(tiny_pair)), dropout=0.1)
    description = Description("tiny", INTENTS, 32, "none", temperature=2.0, weights="float32")
    classifier.save(built, prior.none(), description, tmp_path)
    loaded = classifier.load(tmp_path)
    assert loaded.description == description
    assert loaded.labels == INTENTS
    np.testing.assert_allclose(loaded.logits([]), np.empty((0, 11)))
    # The preprocessing alone cuts at 128 pieces; the classifier cuts at the description's 32.
    short = [text for text in TEXTS if len(text) < 100]
    expected = built.model(built.preprocess(tf.constant(short))) / 2
    np.testing.assert_allclose(loaded.logits(short), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["none", "previous", "prior"])
def test_context_matters_where_the_recipe_reads_it_and_nowhere_else(tiny_pair: Path, tmp_path: Path, kind: str) -> None:
    built = architecture.build(encoders.resolve(str(tiny_pair)), dropout=0.1)
    shift = prior.none()
    shift[1:, :, 3] = 0.5
    classifier.save(built, shift, Description("tiny", INTENTS, 32, kind, 1.0, "float32"), tmp_path)
    loaded = classifier.load(tmp_path)
    nothing = [""] * len(TEXTS)
    alone, untold = loaded.logits(TEXTS), loaded.logits(TEXTS, nothing, nothing)
    told = loaded.logits(TEXTS, ["student"] * len(TEXTS), ["Stir."] * len(TEXTS))
    np.testing.assert_allclose(untold, alone, atol=1e-6)
    assert np.allclose(told, alone, atol=1e-6) == (kind == "none")
    np.testing.assert_allclose(loaded.logits(TEXTS, ["chef"] * len(TEXTS)), alone, atol=1e-6)


def test_frozen_word_embeddings_are_not_among_what_is_trained(tiny_pair: Path) -> None:
    frozen = architecture.build(encoders.resolve(str(tiny_pair)), dropout=0.1, train_embeddings=False)
    whole = architecture.build(encoders.resolve(str(tiny_pair)), dropout=0.1)
    assert whole.trainable_parameters - frozen.trainable_parameters == 30522 * 16


def test_incomplete_classifier_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match=r"is no classifier .* make one with"):
        classifier.load(tmp_path)
    (tmp_path / "classifier.json").write_text(json.dumps({"labels": []}))
    with pytest.raises(ClassifierError, match="is no classifier"):
        classifier.load(tmp_path)


def test_encoder_that_would_not_train_is_refused(tiny_pair: Path, tmp_path: Path) -> None:
    frozen = tf.train.Checkpoint(encoder=hub.load(str(tiny_pair / "encoder")))
    frozen.__call__ = tf.function(lambda inputs, training=False: frozen.encoder(inputs))
    frozen.__call__.get_concrete_function({name: tf.TensorSpec([None, None], tf.int32) for name in INPUTS})
    tf.saved_model.save(frozen, str(tmp_path))
    pair = encoders.resolve(str(tmp_path), str(tiny_pair / "preprocess"))
    with pytest.raises(EncoderError, match="lists no trainable_variables"):
        architecture.build(pair, dropout=0.1)


def test_preprocessing_of_another_kind_is_refused(tiny_pair: Path) -> None:
    pair = encoders.resolve(str(tiny_pair / "encoder"), str(tiny_pair / "encoder"))
    with pytest.raises(EncoderError, match="not a text preprocessing model"):
        architecture.build(pair, dropout=0.1)


def test_minilm_weights_sit_in_their_places() -> None:
    """Sentences of like meaning are near each other, as they are published to be; a swapped weight ruins that."""
    pair = encoders.resolve("minilm")
    preprocess, encoder = hub.load(pair.preprocess), hub.load(pair.encoder)
    sentences = ["How long do I boil the eggs?", "What is the cooking time for the eggs?", "The paint has dried."]
    pooled = tf.math.l2_normalize(encoder(preprocess(tf.constant(sentences)))["pooled_output"], axis=1)
    similar = tf.matmul(pooled, pooled, transpose_b=True).numpy()
    assert similar[0, 1] > 0.75
    assert max(similar[0, 2], similar[1, 2]) < 0.25
