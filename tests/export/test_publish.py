"""`python -m export publish` and `list`: the contract of the SavedModel, and that only whole versions appear."""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from export import check, probes, signatures
from export.__main__ import main
from export.errors import CheckError
from training import classifier
from training.intents import INTENTS


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, tiny_classifier: Path) -> Path:
    directory = tmp_path_factory.mktemp("models") / "intent"
    assert main(["publish", "--classifier", str(tiny_classifier), "--models", str(directory)]) == 0
    return directory


class Served:
    """The published version in a v1 session, as the model server runs it."""

    def __init__(self, session: tf.compat.v1.Session, path: Path) -> None:
        self.session = session
        with session.graph.as_default():
            self.meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(path))

    def ask(self, signature: str, **inputs: object) -> dict[str, np.ndarray]:
        definition = self.meta_graph.signature_def[signature]
        fetches = {name: output.name for name, output in definition.outputs.items()}
        return self.session.run(fetches, {definition.inputs[name].name: value for name, value in inputs.items()})


@pytest.fixture(scope="module")
def served(models: Path) -> Iterator[Served]:
    session = tf.compat.v1.Session(graph=tf.Graph())
    yield Served(session, models / "1")
    session.close()


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
    }
    assert described(signatures["classify"].inputs) == {"inputs": ("string", [-1])}
    assert described(signatures["classify"].outputs) == {
        "classes": ("string", [-1, 11]),
        "scores": ("float32", [-1, 11]),
    }
    assert described(signatures["labels"].inputs) == {"label_index": ("int64", [-1])}
    assert described(signatures["labels"].outputs) == {"intent": ("string", [-1])}
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
    teller = dataclasses.replace(trained, encoder=LengthTeller(), kernel=kernel, bias=tf.Variable(tf.zeros(11)))
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


def test_classify_takes_examples(served: Served) -> None:
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"What's next?"]))
    example = tf.train.Example(features=tf.train.Features(feature={"text": feature})).SerializeToString()
    answer = served.ask("classify", inputs=[example])
    assert [name.decode() for name in answer["classes"][0]] == list(INTENTS)
    np.testing.assert_allclose(
        answer["scores"], served.ask("serving_default", text=["What's next?"])["probabilities"], atol=1e-6
    )


def test_warm_up_records_are_requests_the_version_answers(models: Path, served: Served) -> None:
    file = models / "1" / "assets.extra" / "tf_serving_warmup_requests"
    records = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        for record in tf.data.TFRecordDataset(str(file))
    ]
    assert {record.model_spec.signature_name for record in records} == {"serving_default", "labels"}
    assert {record.model_spec.name for record in records} == {"intent"}
    shapes = set()
    for record in records:
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in record.inputs.items()}
        shapes.add((record.model_spec.signature_name, *(len(value) for value in inputs.values())))
        assert served.ask(record.model_spec.signature_name, **inputs)
    assert {rows for name, rows in shapes if name == "serving_default"} >= {1, 32}


def test_report_travels_with_the_version(models: Path, tiny_classifier: Path) -> None:
    extra = models / "1" / "assets.extra"
    for name in ("MODEL_CARD.md", "metrics.json", "curves.png"):
        assert (extra / name).read_bytes() == (tiny_classifier / name).read_bytes()


def test_next_version_follows_the_highest(tmp_path: Path, tiny_classifier: Path, capsys: pytest.CaptureFixture) -> None:
    for taken in ("3", "v9", ".unpublished-left-over", "007"):
        (tmp_path / taken).mkdir()
    assert main(["publish", "--classifier", str(tiny_classifier), "--models", str(tmp_path)]) == 0
    assert (tmp_path / "8" / "saved_model.pb").exists()
    assert "published version 8" in capsys.readouterr().out


def test_list_shows_versions_and_says_when_there_are_none(
    models: Path, tmp_path: Path, tiny_pair: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--models", str(models)]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    accuracy = json.loads((models / "1/assets.extra/metrics.json").read_text())["splits"]["test"]["accuracy"]
    assert heading.split()[0] == "version"
    assert line.split()[0] == "1"
    assert f"{accuracy:.4f}" in line
    assert f"{tiny_pair} by recipe quick" in line
    assert main(["list", "--models", str(tmp_path)]) == 1
    assert "no version in" in capsys.readouterr().err
    assert main(["list", "--models", str(tmp_path), "--quiet"]) == 1
    assert capsys.readouterr() == ("", "")


def test_classifier_that_is_none_publishes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "--classifier", str(tmp_path / "absent"), "--models", str(tmp_path / "models")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "models").exists()


def test_model_with_an_op_the_server_lacks_publishes_nothing(
    tiny_classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The classifier's preprocessing is swapped for one that uses TF Text's n-gram op, which is not linked."""
    import tensorflow_text as tf_text

    spoilt = tmp_path / "classifier"
    shutil.copytree(tiny_classifier, spoilt)
    root = tf.saved_model.load(str(spoilt / "model"))
    tokenize = root.preprocess.tokenize

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def with_ngrams(text: tf.Tensor) -> tf.RaggedTensor:
        tf_text.ngrams(
            tf.RaggedTensor.from_tensor(text[:, tf.newaxis]), 1, reduction_type=tf_text.Reduction.STRING_JOIN
        )
        return tokenize(text)

    preprocess = tf.train.Checkpoint(original=root.preprocess)
    preprocess.tokenize = with_ngrams
    preprocess.bert_pack_inputs = root.preprocess.bert_pack_inputs
    root.preprocess = preprocess
    tf.saved_model.save(root, str(tmp_path / "model"))
    shutil.rmtree(spoilt / "model")
    (tmp_path / "model").rename(spoilt / "model")
    assert main(["publish", "--classifier", str(spoilt), "--models", str(tmp_path / "models")]) == 1
    assert "has no op TFText>NgramsStringJoin" in capsys.readouterr().err
    assert list((tmp_path / "models").iterdir()) == []


def test_savedmodel_of_another_classifier_is_refused(models: Path, tiny_pair: Path, tmp_path: Path) -> None:
    from training.__main__ import main as train

    words = [
        "fit",
        "--recipe",
        "quick",
        "--encoder",
        str(tiny_pair),
        "--epochs",
        "1",
        "--data",
        "sample",
        "--seed",
        "1",
    ]
    assert train([*words, "--output", str(tmp_path / "other")]) == 0
    with pytest.raises(CheckError, match="probabilities differ from the trained classifier's"):
        check.check_answers(models / "1", classifier.load(tmp_path / "other"))


def test_damaged_savedmodel_is_refused(models: Path, tiny_classifier: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(models / "1", damaged)
    (damaged / "variables" / "variables.data-00000-of-00001").write_bytes(b"")
    with pytest.raises(CheckError, match="the model server could not run it"):
        check.check_answers(damaged, classifier.load(tiny_classifier))
