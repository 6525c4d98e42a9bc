"""Sample requests and answers for the documentation."""

from datetime import UTC, datetime
from typing import Final

from gateway.api import schemas

_RESULT = schemas.Result(
    "stop", False, 0.98, [schemas.Ranked("stop", 0.98), schemas.Ranked("chitchat", 0.01), schemas.Ranked("misc", 0.004)]
)
_UNSURE = schemas.Result(
    None, True, 0.41, [schemas.Ranked("misc", 0.41), schemas.Ranked("chitchat", 0.33), schemas.Ranked("stop", 0.08)]
)
_EMPTY = schemas.ItemProblem(
    "invalid_request", "Invalid request", 400, "the text is empty; send what was said", "/texts/1"
)
_MODEL = schemas.Model("intent", 3)
_END = _MODEL, "8f14e45fceea167a5a36dedd4bea2543", schemas.Timing(0.1, 3.2, 0.6, 3.9)
_SINCE = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)

CLASSIFY_BODIES: Final = {
    "one text": schemas.ClassifyBody(text="How long do I boil the pasta?", top_k=3),
    "several texts": schemas.ClassifyBody(texts=["Stop", "Next step, please"], threshold=0.5),
    "in a dialogue": schemas.ClassifyBody(
        text="Until it is golden.", role="teacher", previous="How long does it have to stay in the oven?"
    ),
    "several texts, one in a dialogue": schemas.ClassifyBody(
        texts=["Stop", schemas.Turn("Yes, go on.", role="student", previous="Shall I read the next step?")]
    ),
    "an older version": schemas.ClassifyBody(text="Next step, please", version=2),
}
CLASSIFY_ANSWERS: Final = {
    "one text": schemas.TextAnswer(_RESULT, *_END),
    "one text, abstained": schemas.TextAnswer(_UNSURE, *_END),
    "several texts": schemas.TextsAnswer([_RESULT, schemas.ItemError(_EMPTY)], *_END),
}
INTENTS: Final = {"intents": schemas.IntentsAnswer(_MODEL, ["chitchat", "misc", "stop"])}
MODELS: Final = {
    "versions": schemas.ModelsAnswer(
        "intent",
        "stable",
        [schemas.VersionAnswer(3, "AVAILABLE", None, ["stable"]), schemas.VersionAnswer(2, "END", None, [])],
    )
}
PREDICT_BODIES: Final = {"text": schemas.PredictBody("How long do I boil the pasta?")}
PREDICT_ANSWERS: Final = {"intent": schemas.PredictAnswer("stop", 0.98, 3)}
ALIVE: Final = {"alive": schemas.StatusAnswer("alive")}
HEALTHY: Final = {"ok": schemas.StatusAnswer("ok")}
READY: Final = {"ready": schemas.ReadyAnswer("ready", "intent", 3, "AVAILABLE", _SINCE, "closed", False, None, None)}
NOT_READY: Final = {
    "model server away": schemas.ReadyAnswer(
        "not_ready",
        "intent",
        3,
        "UNKNOWN",
        _SINCE,
        "open",
        False,
        "model_server_unavailable",
        "the model server does not answer; try again in a moment",
    )
}
