"""The fingerprint of a label list: the number by which a client finds the list that an answer's indices count in."""

import hashlib
import json
from collections.abc import Sequence


def label_set(labels: Sequence[str]) -> int:
    """The first 63 bits of the SHA-256 of the list as a JSON array in UTF-8, without spaces and escapes.

    63 bits, because a signature's int64 is signed. Lists in another order are other lists.
    """
    array = json.dumps(list(labels), ensure_ascii=False, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(array.encode()).digest()[:8], "big") >> 1
