"""The encoder without padding gives what the padded one gives."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from export import packed, probes
from export.__main__ import main
from export.errors import PrecisionError
from training.encoder.bert import BertConfig, BertEncoder, random_weights, save_encoder
from training.fit import classifier

# Rows of these lengths in one batch: two groups of the attention meet every order of short and long.
LENGTHS = ([7], [3, 16, 1, 9, 16, 2, 5], [16, 16], [1, 1, 12], [], [4] * 9)


def rows(lengths: list[int]) -> dict[str, tf.Tensor]:
    """Random pieces, the later half of each row its second segment; padded to 16."""
    generator = np.random.default_rng(sum(lengths))
    offset, size = np.arange(16)[np.newaxis, :], np.array(lengths, int)[:, np.newaxis]
    mask = (offset < size).astype(np.int32)
    ids = generator.integers(1, 50, mask.shape, np.int32) * mask
    return {
        "input_word_ids": tf.constant(ids),
        "input_mask": tf.constant(mask),
        "input_type_ids": tf.constant((offset >= size // 2).astype(np.int32) * mask),
    }


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("pooler", [True, False])
@pytest.mark.parametrize("approximate_gelu", [True, False])
def test_pools_as_the_padded_encoder(lengths: list[int], layers: int, pooler: bool, approximate_gelu: bool) -> None:
    config = BertConfig(layers, 24, 3, vocabulary=50, positions=20, pooler=pooler, approximate_gelu=approximate_gelu)
    # Larger than BERT's own first weights: attention and GELU must matter.
    small = random_weights(layers)
    encoder = BertEncoder(
        config, lambda name, shape: 15 * small(name, shape) if "gamma" not in name else tf.ones(shape)
    )
    inputs = rows(lengths)
    found = packed.PackedEncoder(encoder, config, tf.float32)(inputs)["pooled_output"]
    np.testing.assert_allclose(found, encoder(inputs)["pooled_output"], atol=1e-5)
    assert found.shape == (len(lengths), 24)


def test_encoder_of_ours_is_known_however_often_it_was_saved(tmp_path: Path) -> None:
    config = BertConfig(layers=1, hidden=8, heads=2, vocabulary=10, positions=8)
    save_encoder(BertEncoder(config, random_weights()), tmp_path / "first")
    tf.saved_model.save(
        tf.train.Checkpoint(encoder=tf.saved_model.load(str(tmp_path / "first"))), str(tmp_path / "second")
    )
    again = tf.saved_model.load(str(tmp_path / "second")).encoder
    served = packed.served(again, "float32")
    assert isinstance(served, packed.PackedEncoder)
    inputs = {name: values[:, :8] for name, values in rows([3, 8]).items()}
    inputs["input_word_ids"] %= 10
    np.testing.assert_allclose(served(inputs)["pooled_output"], again(inputs)["pooled_output"], atol=1e-6)


def test_encoder_of_another_architecture_is_served_as_it_is() -> None:
    other = tf.Module()
    assert packed.served(other, "float32") is other
    with pytest.raises(PrecisionError, match="leave it out"):
        packed.served(other, "bfloat16")


def test_bfloat16_is_published_when_asked_for(
    tiny_classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same labels, probabilities that differ as much as bfloat16 makes them, and dense layers that use it."""
    words = ["publish", "--classifier", str(tiny_classifier), "--models", str(tmp_path / "models")]
    assert main([*words, "--precision", "bfloat16"]) == 0
    assert "published version 1" in capsys.readouterr().out
    loaded = tf.saved_model.load(str(tmp_path / "models" / "1"))
    answer = loaded.signatures["serving_default"](text=tf.constant(probes.PROBES))
    expected = tf.nn.softmax(classifier.load(tiny_classifier).logits(probes.PROBES)).numpy()
    np.testing.assert_allclose(answer["probabilities"], expected, atol=2e-2)
    assert np.abs(answer["probabilities"] - expected).max() > 1e-6
    graph = saved_model_pb2.SavedModel.FromString((tmp_path / "models" / "1" / "saved_model.pb").read_bytes())
    nodes = [node for function in graph.meta_graphs[0].graph_def.library.function for node in function.node_def]
    products = {node.attr["T"].type for node in nodes if node.op in ("MatMul", "BatchMatMulV2")}
    assert tf.bfloat16.as_datatype_enum in products
