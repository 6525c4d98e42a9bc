"""What is asked: utterances of the data set, and texts of a given length."""

import json
import os
import random
from collections.abc import Sequence
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "training" / "sample"


def utterances() -> list[str]:
    """The utterances of the data set in $WOT_DATA_DIR, else of the bundled sample, always in the same random order."""
    folder = Path(os.environ.get("WOT_DATA_DIR") or SAMPLE)
    texts = [
        turn["text"]
        for file in sorted(folder.glob("wizard_of_tasks_*.json"))
        for conversation in json.loads(file.read_text()).values()
        for turn in conversation["turns"]
        if turn["text"]
    ]
    random.Random(0).shuffle(texts)
    return texts


def write_bodies(folder: Path) -> Path:
    """Writes the utterances as bodies for POST /predict, one a line; the file."""
    bodies = folder / "bodies"
    bodies.write_text("".join(f"{json.dumps({'text': text})}\n" for text in utterances()))
    return bodies


def words(count: int) -> str:
    """A text of this many words."""
    return " ".join(["pasta"] * count)


def cut(texts: Sequence[str], size: int) -> list[Sequence[str]]:
    """Batches of this size, in order; texts that do not fill a last batch are left out."""
    return [texts[start : start + size] for start in range(0, len(texts) - size + 1, size)]
