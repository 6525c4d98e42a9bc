"""A ranked answer for people: intents with text bars."""

import shutil
import sys

from intent_client.results import Prediction

_EIGHTHS = " ▏▎▍▌▋▊▉"
_WIDEST = 40


def ranking(prediction: Prediction, threshold: float | None) -> str:
    """Several lines: the verdict, a bar for each intent, where the answer comes from."""
    verdict = prediction.intent
    if verdict is None:
        below = "the threshold" if threshold is None else f"the threshold {threshold:g}"
        verdict = f"abstained: no score reaches {below}"
    widest = max((len(each.intent) for each in prediction.intents), default=0)
    # 12 characters stand around the bar.
    room = max(8, min(_WIDEST, shutil.get_terminal_size().columns - widest - 12))
    lines = [
        f"  {each.intent:<{widest}}  {each.score:7.2%}  {_bar(each.score, room)}".rstrip()
        for each in prediction.intents
    ]
    timing = prediction.timing_ms
    source = f"{prediction.model} version {prediction.version}, {timing.total:.1f} ms ({timing.model:.1f} in the model)"
    return "\n".join((verdict, *lines, source))


def _bar(score: float, room: int) -> str:
    eighths = round(min(max(score, 0.0), 1.0) * room * 8)
    if not (sys.stdout.encoding or "").lower().startswith("utf"):
        return "#" * round(eighths / 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
