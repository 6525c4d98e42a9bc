"""The fingerprint of a label list: the number by which a client finds the list that an answer's indices count in."""

import hashlib
import json
from collections.abc import Sequence


def label_set(labels: Sequence[str]) -> int:
    """The first 63 bits of the SHA-256 of the list as a JSON array, in UTF-8.

    The array has no spaces between its items, and escapes only what JSON must: quotes, backslashes and control
    characters. 63 bits, because a signature's int64 is signed. The same names in another order are another list.
    """
    array = json.dumps(list(labels), ensure_ascii=False, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(array.encode()).digest()[:8], "big") >> 1
