"""Asks the running service what every version must answer well, and holds it to what goes for any answer."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from cloudformation.image.instance.errors import GoldenError

SUM_TOLERANCE = 0.001
"""Between 1 and the sum of a row's scores, which come as float32."""
_SECONDS = 30
_OPENER = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class Golden:
    """The questions, and how many of them must be answered well.

    No score is expected: each version has its own. An utterance that two intents fit lists both.
    """

    questions: tuple[tuple[str, frozenset[str]], ...]
    """Utterance and the intents that are good answers."""
    least: int

    @classmethod
    def read(cls, path: Path) -> "Golden":
        """The file's questions."""
        content = json.loads(path.read_text())
        questions = tuple((each["text"], frozenset(each["intents"])) for each in content["questions"])
        return cls(questions, content["least"])


def ask_golden(url: str, questions: Path, release: Path) -> Iterator[str]:
    """Yields a line for each thing that holds.

    Raises:
        GoldenError: one does not; says which, with question and answer.
    """
    golden = Golden.read(questions)
    version = json.loads(release.read_text())["model_version"]
    texts = [text for text, _ in golden.questions]

    ready = _get(f"{url}/readyz")
    _demand(ready["version"] == version, f"/readyz speaks of version {ready['version']}, the release is of {version}")
    yield f"/readyz: version {version} answers over gRPC"
    _demand(_get(f"{url}/status") == {"status": "alive"}, "/status has changed")

    intents = _get(f"{url}/v1/intents")["intents"]
    answer = _post(f"{url}/v1/predict", {"texts": texts, "top_k": len(intents)})
    _demand(answer["model"]["version"] == version, f"version {answer['model']['version']} answers, not {version}")
    for text, result in zip(texts, answer["results"], strict=True):
        _check_scores(text, result, intents)
    yield f"/v1/predict: {len(texts)} texts, each with scores of {len(intents)} intents"

    alone = [_post(f"{url}/predict", {"text": text}) for text in texts]
    for text, one, many in zip(texts, alone, answer["results"], strict=True):
        same = one["intent"] == many["intent"] and one["version"] == version
        _demand(same, f"{text!r} is {one} by /predict, but {many['intent']} by /v1/predict")
    yield "/predict: the same intents, each text alone"

    good = [one["intent"] in fits for one, (_, fits) in zip(alone, golden.questions, strict=True)]
    missed = "; ".join(
        f"{text!r} is {one['intent']}" for text, one, ok in zip(texts, alone, good, strict=True) if not ok
    )
    _demand(sum(good) >= golden.least, f"{sum(good)} of {len(good)} good answers, {golden.least} are needed: {missed}")
    yield f"{sum(good)} of {len(good)} golden questions are answered well (at least {golden.least})"

    status = _status(f"{url}/predict", {"text": ""})
    _demand(status == 400, f"an empty text is answered with {status}")
    yield "an empty text is refused"


def _check_scores(text: str, result: dict[str, Any], intents: Sequence[str]) -> None:
    ranked = result.get("intents", [])
    scores = [each["score"] for each in ranked]
    _demand({each["intent"] for each in ranked} == set(intents), f"{text!r} is not scored for every intent: {result}")
    _demand(all(0 <= score <= 1 for score in scores), f"{text!r} has scores that are no probabilities: {result}")
    _demand(abs(sum(scores) - 1) <= SUM_TOLERANCE, f"{text!r} has scores whose sum is {sum(scores)}")
    _demand(scores == sorted(scores, reverse=True), f"{text!r} has intents that are not ranked: {result}")
    _demand(result["intent"] == ranked[0]["intent"], f"{text!r} has another intent than its first: {result}")


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise GoldenError(otherwise)


def _get(url: str) -> Any:
    return _answer(Request(url))


def _post(url: str, body: dict[str, Any]) -> Any:
    return _answer(Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}))


def _status(url: str, body: dict[str, Any]) -> int:
    try:
        _post(url, body)
    except GoldenError as error:
        if isinstance(error.__cause__, HTTPError):
            return error.__cause__.code
        raise
    return 200


def _answer(request: Request) -> Any:
    try:
        with _OPENER.open(request, timeout=_SECONDS) as response:
            return json.loads(response.read())
    except HTTPError as error:
        raise GoldenError(f"{request.full_url} answers {error.code}: {error.read().decode()}") from error
    except (URLError, OSError) as error:
        raise GoldenError(f"{request.full_url} does not answer: {error}") from error
