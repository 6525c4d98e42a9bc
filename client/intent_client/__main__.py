"""Command line of the client: `intent-client predict|batch|intents|models`, or `python -m intent_client`."""

import os
import shutil
import sys

import msgspec

from intent_client.answers import Intents, Models, Prediction
from intent_client.client import Client
from intent_client.errors import ClientError, UsageError
from intent_client.options import Options, parse

_EIGHTHS = " ▏▎▍▌▋▊▉"


def main() -> int:
    """Exit status: 0 answered, 1 refused or failed, 2 wrong usage, 128 + number of the signal that stopped it."""
    options = parse()
    try:
        if options.command == "batch":
            from intent_client.job import run

            return run(options)
        answer = _ask(options)
        print(msgspec.json.encode(answer).decode() if options.json else _text(answer, options))
        return 0
    except UsageError as error:
        print(f"intent-client: {error}", file=sys.stderr)
        return 2
    except ClientError as error:
        # Without an answer, the gateway's log may not have the id.
        request = f", request {error.request_id}" if error.status else ""
        print(f"intent-client: {error.code}: {error.detail}{request}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of the output has closed it, like `head`. Python would fail again when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"intent-client: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _ask(options: Options) -> Prediction | Intents | Models:
    with Client(options.url, key=options.api_key(), time_limit=options.time_limit, on_wait=_say_waiting) as client:
        if options.command == "models":
            return client.models()
        if options.command == "intents":
            return client.intents(version=options.version, label=options.label)
        return client.predict(
            options.text,
            role=options.role,
            previous=options.previous,
            top_k=options.top_k,
            threshold=options.threshold,
            version=options.version,
            label=options.label,
        )


def _say_waiting(error: ClientError, seconds: float) -> None:
    if sys.stderr.isatty():
        print(f"intent-client: {error.detail}; next try in {seconds:.1f} s", file=sys.stderr)


def _text(answer: Prediction | Intents | Models, options: Options) -> str:
    if isinstance(answer, Prediction):
        return _ranking(answer, options.threshold)
    if isinstance(answer, Intents):
        return "\n".join(answer.intents)
    lines = ["version  state      labels"]
    for each in answer.versions:
        why = f"  failed to load: {each.error}" if each.error else ""
        lines.append(f"{each.version:>7}  {each.state:<9}  {', '.join(each.labels)}{why}".rstrip())
    return "\n".join(lines)


def _ranking(prediction: Prediction, threshold: float | None) -> str:
    below = "the threshold" if threshold is None else f"the threshold {threshold:g}"
    verdict = prediction.intent or f"abstained: no score reaches {below}"
    widest = max((len(each.intent) for each in prediction.intents), default=0)
    # 12 characters stand around the bar.
    room = max(8, min(40, shutil.get_terminal_size().columns - widest - 12))
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


if __name__ == "__main__":
    sys.exit(main())
