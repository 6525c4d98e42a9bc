"""What --encoder may name, and how its preprocessing is found."""

import hashlib
import re
from pathlib import Path

import pytest
import tensorflow_hub as hub

from training.encoder import encoders
from training.errors import EncoderError
from training.fit import architecture

SMALL_BERT = "https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-2_H-256_A-4/1"


@pytest.mark.parametrize(
    ("handle", "preprocessing"),
    [
        (SMALL_BERT, "bert_en_uncased_preprocess/3"),
        ("https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/4", "bert_en_uncased_preprocess/3"),
        ("https://tfhub.dev/tensorflow/bert_en_cased_L-12_H-768_A-12/4", "bert_en_cased_preprocess/3"),
        ("https://tfhub.dev/tensorflow/bert_multi_cased_L-12_H-768_A-12/4", "bert_multi_cased_preprocess/3"),
        ("https://tfhub.dev/tensorflow/albert_en_base/3", "albert_en_preprocess/3"),
        ("https://tfhub.dev/google/electra_small/2", "bert_en_uncased_preprocess/3"),
    ],
)
def test_handle_finds_its_preprocessing(handle: str, preprocessing: str) -> None:
    pair = encoders.resolve(handle)
    assert (pair.encoder, pair.preprocess) == (handle, f"https://tfhub.dev/tensorflow/{preprocessing}")


def test_named_preprocessing_is_taken() -> None:
    assert encoders.resolve("https://tfhub.dev/somebody/bert/1", "https://tfhub.dev/somebody/prep/1").preprocess == (
        "https://tfhub.dev/somebody/prep/1"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("https://tfhub.dev/somebody/bert/1", "its matching preprocessing is not known; name it with --preprocess"),
        ("minilm:7", "MiniLM has 6 layers; ask for 1 to 6"),
        ("minilm:0", "MiniLM has 6 layers; ask for 1 to 6"),
        ("no/such/directory", "neither a Hub handle, nor `minilm` or `minilm:N`, nor a directory with a SavedModel"),
    ],
)
def test_unknown_encoder_says_what_to_do(name: str, message: str) -> None:
    with pytest.raises(EncoderError, match=re.escape(message)):
        encoders.resolve(name)


def test_directory_is_a_pair_or_an_encoder_with_its_preprocessing(tiny_pair: Path) -> None:
    pair = encoders.resolve(str(tiny_pair))
    assert (pair.encoder, pair.preprocess) == (str(tiny_pair / "encoder"), str(tiny_pair / "preprocess"))
    lone = str(tiny_pair / "encoder")
    assert encoders.resolve(lone, str(tiny_pair / "preprocess")).encoder == lone
    with pytest.raises(EncoderError, match="with --preprocess"):
        encoders.resolve(lone)


def test_handle_loads_offline_from_the_hub_cache(
    tiny_pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = encoders.resolve(SMALL_BERT)
    for handle, part in ((pair.encoder, "encoder"), (pair.preprocess, "preprocess")):
        (tmp_path / hashlib.sha1(handle.encode()).hexdigest()).symlink_to(tiny_pair / part)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    built = architecture.build(pair, dropout=0.1)
    assert built.model.output_shape == (None, 11)


def test_encoder_that_cannot_be_loaded_says_what_to_do(tmp_path: Path, tiny_pair: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"damaged")
    pair = encoders.resolve(str(tmp_path), str(tiny_pair / "preprocess"))
    with pytest.raises(EncoderError, match=r"cannot load .* use --encoder minilm, a directory, or a filled"):
        architecture.build(pair, dropout=0.1)


def test_minilm_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTENT_SERVICE_CACHE", str(tmp_path))
    first = encoders.resolve("minilm:1")
    written = (Path(first.encoder) / "saved_model.pb").stat()
    assert encoders.resolve("minilm:1") == first
    assert (Path(first.encoder) / "saved_model.pb").stat() == written
    assert [path.name for path in (tmp_path / "encoders").iterdir()] == [Path(first.encoder).parent.name]
    encoder = hub.load(first.encoder)
    # 30,522 + 512 + 2 embeddings of 384 and their norm, and one block: the numbers of MiniLM's config.json.
    block = 4 * (384 * 384 + 384) + (384 * 1536 + 1536) + (1536 * 384 + 384) + 4 * 384
    parameters = sum(variable.shape.num_elements() for variable in encoder.trainable_variables)
    assert parameters == (30522 + 512 + 2) * 384 + 2 * 384 + block
