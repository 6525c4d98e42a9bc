"""Small stand-ins of the real things: encoders with random weights, and a cut of the sample."""

import json
from pathlib import Path

from training.data.dataset import SAMPLE
from training.encoder.bert import BertConfig, BertEncoder, random_weights, save_encoder
from training.encoder.minilm import vocabulary
from training.encoder.preprocess import save_preprocessing


def save_pair(directory: Path, layers: int, hidden: int, heads: int) -> None:
    """Writes `preprocess/` and `encoder/` into the directory, as TensorFlow Hub's pairs are shaped."""
    save_preprocessing(vocabulary(), directory / "preprocess")
    save_encoder(BertEncoder(BertConfig(layers, hidden, heads), random_weights()), directory / "encoder")


def cut_sample(directory: Path, conversations: int) -> None:
    """Writes the first conversations of each domain's training split, and all of the others, as a data set."""
    for file in SAMPLE.glob("*.json"):
        whole = json.loads(file.read_text())
        train = [name for name, content in whole.items() if content["data_split"] == "train"]
        left_out = train[conversations:]
        kept = {name: content for name, content in whole.items() if name not in left_out}
        (directory / file.name).write_text(json.dumps(kept))
