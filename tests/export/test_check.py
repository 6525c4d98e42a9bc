"""What is never published: ops that the stock server lacks, answers that differ, damage."""

import dataclasses
import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from export import check, signatures
from export.__main__ import main
from export.errors import CheckError
from training.fit import classifier


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


def test_savedmodel_of_another_classifier_is_refused(models: Path, tiny_classifier: Path) -> None:
    trained = classifier.load(tiny_classifier)
    other = dataclasses.replace(trained, bias=tf.Variable(tf.one_hot(3, 11)))
    with pytest.raises(CheckError, match="probabilities differ from the trained classifier's"):
        check.check_answers(models / "1", other)


def test_damaged_savedmodel_is_refused(models: Path, tiny_classifier: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(models / "1", damaged)
    (damaged / "variables" / "variables.data-00000-of-00001").write_bytes(b"")
    with pytest.raises(CheckError, match="the model server could not run it"):
        check.check_answers(damaged, classifier.load(tiny_classifier))


def test_a_label_set_that_is_not_the_fingerprint_of_the_labels_is_refused(
    tiny_classifier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = classifier.load(tiny_classifier)
    monkeypatch.setattr(signatures, "label_set", lambda labels: 1)
    signatures.write(trained, tmp_path / "marked")
    with pytest.raises(CheckError, match="label_set is not"):
        check.check_answers(tmp_path / "marked", trained)
