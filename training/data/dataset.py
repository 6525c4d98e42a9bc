"""The Wizard of Tasks data set as a table: one row per labelled turn.

Shape of a file (Choi et al., COLING 2022): JSON object, conversation id -> {document_url, data_split,
turns: [{text, intent, role, turn_counter, ...}]}. One file per domain; the domain is in the file's name.
"""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from training.data.intents import INTENTS
from training.errors import DataError

SPLITS = ("train", "validation", "test")
ROLES = ("student", "teacher")
COLUMNS = ("text", "previous", "intent", "role", "split", "domain", "conversation_id", "turn")
SAMPLE = Path(__file__).parents[1] / "sample"
_FILE_NAME = re.compile(r"wizard_of_tasks_(?P<domain>[a-z]+)_.*\.json")


@dataclass(frozen=True)
class Dataset:
    """A cleaned data set and where it came from.

    Attributes:
        table: one row per labelled turn, columns `COLUMNS`; `turn` is int64, all others are strings. `previous` is the
            text of the turn before, "" where there is none.
        dropped: turns left out because their text or intent was null.
        checksums: file name -> sha256 of the file, hex.
    """

    table: pd.DataFrame
    dropped: int
    checksums: dict[str, str]

    def split(self, name: str) -> pd.DataFrame:
        """The rows of one of `SPLITS`, in file order."""
        return self.table[self.table["split"] == name].reset_index(drop=True)

    def trained_on(self, domain: str) -> "Dataset":
        """The training and validation rows of one domain, and the test rows of all others.

        Raises:
            DataError: there is no such domain, or no other.
        """
        domains = sorted(self.table["domain"].unique())
        if domain not in domains or len(domains) == 1:
            raise DataError(f"--domain {domain}: needs this and another domain; the data set has {', '.join(domains)}")
        wanted = (self.table["domain"] == domain) != (self.table["split"] == "test")
        return replace(self, table=self.table[wanted].reset_index(drop=True))


def load(path: Path) -> Dataset:
    """Reads one file, or every `wizard_of_tasks_*.json` of a directory, joined.

    Raises:
        DataError: nothing to read, a file of another shape, an unknown intent, role or split; names the place.
    """
    rows: list[dict[str, Any]] = []
    dropped = 0
    checksums = {}
    for file in _files(path):
        content = file.read_bytes()
        checksums[file.name] = hashlib.sha256(content).hexdigest()
        for row in _turns(file, content):
            if row["text"] is None or row["intent"] is None:
                dropped += 1
            else:
                rows.append(row)
    if not rows:
        raise DataError(f"{path}: no turn has both a text and an intent")
    return Dataset(pd.DataFrame(rows, columns=list(COLUMNS)), dropped, checksums)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"{path}: no such file or directory")
    files = sorted(file for file in path.iterdir() if _FILE_NAME.fullmatch(file.name))
    if not files:
        raise DataError(f"{path}: no file named wizard_of_tasks_<domain>_<version>.json in it")
    return files


def _turns(file: Path, content: bytes) -> list[dict[str, Any]]:
    try:
        conversations = json.loads(content)
    except ValueError as error:
        raise DataError(f"{file}: not JSON ({error})") from error
    if not isinstance(conversations, dict) or not conversations:
        raise DataError(f"{file}: expected a JSON object of conversations, conversation id -> {{data_split, turns}}")
    named = _FILE_NAME.fullmatch(file.name)
    domain = named["domain"] if named else file.stem
    return [
        row
        for conversation_id, conversation in conversations.items()
        for row in _conversation(f"{file}: conversation {conversation_id!r}", conversation_id, domain, conversation)
    ]


def _conversation(place: str, conversation_id: str, domain: str, conversation: Any) -> list[dict[str, Any]]:
    turns = conversation.get("turns") if isinstance(conversation, dict) else None
    if not isinstance(turns, list):
        raise DataError(f"{place}: expected an object with a list `turns`")
    split = _one_of(place, "data_split", conversation.get("data_split"), SPLITS)
    rows = []
    previous = ""
    for position, turn in enumerate(turns, start=1):
        here = f"{place}, turn {position}"
        if not isinstance(turn, dict) or "text" not in turn or "intent" not in turn:
            raise DataError(f"{here}: expected an object with `text` and `intent`")
        text, intent = turn["text"], turn["intent"]
        if text is not None and not isinstance(text, str):
            raise DataError(f"{here}: text must be a string or null, not {json.dumps(text)}")
        if intent is not None:
            _one_of(here, "intent", intent, INTENTS)
        rows.append(
            {
                "text": text,
                "previous": previous,
                "intent": intent,
                "role": _one_of(here, "role", turn.get("role"), ROLES),
                "split": split,
                "domain": domain,
                "conversation_id": conversation_id,
                "turn": turn.get("turn_counter", position),
            }
        )
        # A turn without a label is still the turn before the next one.
        previous = text or ""
    return rows


def _one_of(place: str, key: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise DataError(f"{place}: {key} is {json.dumps(value)}; expected one of {', '.join(known)}")
    return str(value)
