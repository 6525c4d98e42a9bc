"""The original service's encoder in size: small_bert L-2_H-256_A-4, which TensorFlow Hub gives where it is reached.

    python -m benchmarks.serving.original encoders/original
    python -m training fit --recipe default --encoder encoders/original --output classifiers/original

Its weights are random at first, and MiniLM's vocabulary is BERT's: what it costs is the same, how well it does is not.
"""

import argparse
from pathlib import Path

from training.encoder.bert import BertConfig, BertEncoder, random_weights, save_encoder
from training.encoder.minilm import vocabulary
from training.encoder.preprocess import save_preprocessing

# As its name on TensorFlow Hub says.
SIZE = BertConfig(layers=2, hidden=256, heads=4)


def main() -> None:
    """Writes the hub-shaped pair."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving.original")
    parser.add_argument("directory", type=Path, help="gets preprocess/ and encoder/")
    directory = parser.parse_args().directory
    save_encoder(BertEncoder(SIZE, random_weights()), directory / "encoder")
    save_preprocessing(vocabulary(), directory / "preprocess")


if __name__ == "__main__":
    main()
