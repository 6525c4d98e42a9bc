"""The contract of the SavedModel, asked as the model server asks it: in a v1 session."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from export import probes, signatures
from tests.export.conftest import Served
from training.data import dataset
from training.data.intents import INTENTS
from training.fit import classifier


def test_signatures_are_those_of_the_contract(served: Served) -> None:
    def described(tensors: object) -> dict[str, tuple[str, list[int]]]:
        return {
            name: (tf.dtypes.as_dtype(info.dtype).name, [dim.size for dim in info.tensor_shape.dim])
            for name, info in tensors.items()
        }

    signatures = served.meta_graph.signature_def
    assert described(signatures["serving_default"].inputs) == {"text": ("string", [-1])}
    assert described(signatures["serving_default"].outputs) == {
        "probabilities": ("float32", [-1, 11]),
        "label_index": ("int64", [-1]),
        "label_set": ("int64", [-1]),
    }
    assert described(signatures["dialogue"].inputs) == {name: ("string", [-1]) for name in ("text", "role", "previous")}
    assert described(signatures["dialogue"].outputs) == described(signatures["serving_default"].outputs)
    assert described(signatures["classify"].inputs) == {"inputs": ("string", [-1])}
    assert described(signatures["classify"].outputs) == {
        "classes": ("string", [-1, 11]),
        "scores": ("float32", [-1, 11]),
    }
    assert described(signatures["labels"].inputs) == {"label_index": ("int64", [-1])}
    assert described(signatures["labels"].outputs) == {"intent": ("string", [-1]), "label_set": ("int64", [-1])}
    assert {name: signatures[name].method_name for name in ("serving_default", "classify", "labels")} == {
        "serving_default": "tensorflow/serving/predict",
        "classify": "tensorflow/serving/classify",
        "labels": "tensorflow/serving/predict",
    }


def test_answers_are_the_classifiers(served: Served, tiny_classifier: Path) -> None:
    expected = tf.nn.softmax(classifier.load(tiny_classifier).logits(probes.PROBES)).numpy()
    answer = served.ask("serving_default", text=probes.PROBES)
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
    assert answer["label_index"].tolist() == expected.argmax(axis=1).tolist()


def test_dialogue_without_context_answers_as_serving_default(served: Served) -> None:
    """On every text of the sample; a role that is none counts as unknown."""
    texts = list(dataset.load(dataset.SAMPLE).table["text"]) + list(probes.PROBES)
    alone = served.ask("serving_default", text=texts)
    for role in ("", "chef"):
        untold = served.ask("dialogue", text=texts, role=[role] * len(texts), previous=[""] * len(texts))
        np.testing.assert_allclose(untold["probabilities"], alone["probabilities"], atol=1e-6)
    assert untold["label_index"].tolist() == alone["label_index"].tolist()


def test_dialogue_answers_as_the_classifier_with_context(served: Served, tiny_classifier: Path) -> None:
    rows = dataset.load(dataset.SAMPLE).split("test")
    columns = {name: rows[name].tolist() for name in ("text", "role", "previous")}
    expected = tf.nn.softmax(classifier.load(tiny_classifier).logits(*columns.values())).numpy()
    np.testing.assert_allclose(served.ask("dialogue", **columns)["probabilities"], expected, atol=1e-5)
    alone = served.ask("serving_default", text=columns["text"])["probabilities"]
    assert np.abs(expected - alone).max() > 0.01


def test_classifier_without_context_has_no_dialogue_signature(tiny_classifier: Path, tmp_path: Path) -> None:
    trained = classifier.load(tiny_classifier)
    description = dataclasses.replace(trained.description, context="none")
    signatures.write(dataclasses.replace(trained, description=description), tmp_path / "1")
    assert set(tf.saved_model.load(str(tmp_path / "1")).signatures) == {"serving_default", "classify", "labels"}


def test_rows_do_not_depend_on_their_batch_mates(served: Served) -> None:
    """A short row is padded to 8 pieces alone and to the full length beside the longest one."""
    together = served.ask("serving_default", text=["ok", "sand prime paint " * 60])["probabilities"][0]
    alone = served.ask("serving_default", text=["ok"])["probabilities"][0]
    np.testing.assert_allclose(together, alone, atol=1e-6)


class LengthTeller(tf.Module):
    """An encoder whose only feature is how far its input was padded: the first logit is that length / 1000."""

    @tf.function
    def __call__(self, inputs: dict[str, tf.Tensor], training: bool = False) -> dict[str, tf.Tensor]:
        ids = inputs["input_word_ids"]
        length = tf.cast(tf.shape(ids)[1], tf.float32) / 1000
        return {"pooled_output": tf.fill([tf.shape(ids)[0], 1], length)}


@pytest.mark.parametrize(
    ("texts", "padded"),
    [
        ([], 8),
        (["stir"], 8),
        (["stir " * 6], 8),
        (["stir " * 7], 16),
        (["stir", "stir " * 20], 24),
        (["stir " * 400], 64),
    ],
)
def test_padding_follows_the_longest_row_in_steps_of_8(
    tiny_classifier: Path, tmp_path: Path, texts: list[str], padded: int
) -> None:
    trained = classifier.load(tiny_classifier)
    kernel = tf.Variable([[1.0] + [0.0] * 10])
    teller = dataclasses.replace(
        trained,
        description=dataclasses.replace(trained.description, temperature=1.0),
        encoder=LengthTeller(),
        kernel=kernel,
        bias=tf.Variable(tf.zeros(11)),
    )
    signatures.write(teller, tmp_path / "1")
    answer = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"](text=tf.constant(texts, tf.string))
    lengths = 1000 * np.log(answer["probabilities"][:, 0] / answer["probabilities"][:, 1])
    np.testing.assert_allclose(lengths, [padded] * len(texts), atol=0.1)


def test_empty_batch_and_broken_utf8_are_answered(served: Served) -> None:
    assert served.ask("serving_default", text=np.array([], object))["probabilities"].shape == (0, 11)
    answer = served.ask("serving_default", text=[b"\xff\xfe broken", b"ok"])["probabilities"]
    np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(answer[1], served.ask("serving_default", text=[b"ok"])["probabilities"][0], atol=1e-6)


def test_labels_travel_in_the_model(served: Served) -> None:
    assert [name.decode() for name in served.ask("labels", label_index=range(11))["intent"]] == list(INTENTS)
    assert served.ask("labels", label_index=[10, 0])["intent"].tolist() == [INTENTS[10].encode(), INTENTS[0].encode()]
    with pytest.raises(tf.errors.InvalidArgumentError):
        served.ask("labels", label_index=[11])


def test_every_answer_names_the_label_list_that_its_indices_count_in(served: Served) -> None:
    """Calculated here from the contract's own words."""
    array = "[" + ",".join(f'"{intent}"' for intent in INTENTS) + "]"
    expected = int(hashlib.sha256(array.encode()).hexdigest()[:16], 16) // 2
    nobody = {"role": ["", ""], "previous": ["", ""]}
    for answer in (
        served.ask("serving_default", text=["a", "b"]),
        served.ask("dialogue", text=["a", "b"], **nobody),
        served.ask("labels", label_index=[3, 4]),
    ):
        assert answer["label_set"].tolist() == [expected] * 2


def test_classify_takes_examples(served: Served) -> None:
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"What's next?"]))
    example = tf.train.Example(features=tf.train.Features(feature={"text": feature})).SerializeToString()
    answer = served.ask("classify", inputs=[example])
    assert [name.decode() for name in answer["classes"][0]] == list(INTENTS)
    np.testing.assert_allclose(
        answer["scores"], served.ask("serving_default", text=["What's next?"])["probabilities"], atol=1e-6
    )
