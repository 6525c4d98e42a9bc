"""Whether baseline and service answer alike: else a comparison of their speed would mean little."""

import json
from collections.abc import Sequence
from http.client import HTTPConnection
from typing import Any

from benchmarks.shared.texts import utterances

TEXTS = 20
# Of a score, by precision: rows of another length are summed in another order, and the gateway rounds to 6 decimals.
TOLERANCES = {"float32": 1e-4, "bfloat16": 2e-2}


def measure(baseline: int, gateway: int, precision: str) -> dict[str, object]:
    """Intents and scores of both for the first texts, asked by HTTP."""
    texts = utterances()[:TEXTS]
    pairs = list(zip(*(_answers(port, texts) for port in (baseline, gateway)), strict=True))
    differences = [abs(one["score"] - other["score"]) for one, other in pairs]
    return {
        "texts": len(texts),
        "differing": sum(
            one["intent"] != other["intent"] or difference > TOLERANCES[precision]
            for (one, other), difference in zip(pairs, differences, strict=True)
        ),
        "largest_difference": max(differences),
    }


def _answers(port: int, texts: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for text in texts:
        connection = HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/predict", json.dumps({"text": text}), {"Content-Type": "application/json"})
        found.append(json.loads(connection.getresponse().read()))
        connection.close()
    return found
