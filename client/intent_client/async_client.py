"""The asynchronous client."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import msgspec

from intent_client.answers import Answer, Intents, Models, Prediction, Role, Turn, convert
from intent_client.errors import AnswerError, BadAnswerError, UsageError

if TYPE_CHECKING:
    from intent_client.connection import Connection, OnWait

URL = "http://localhost:5000"
TIME_LIMIT = 10.0
BATCH_SIZE = 32
"""Texts in one request; the gateway takes 64 unless set otherwise."""


class AsyncClient:
    """`Client` with methods to await: `async with AsyncClient(...) as client`. Many tasks may use it at once."""

    def __init__(
        self,
        url: str = URL,
        *,
        key: str | None = None,
        time_limit: float = TIME_LIMIT,
        connections: int = 8,
        batch_size: int = BATCH_SIZE,
        on_wait: "OnWait | None" = None,
    ) -> None:
        """The arguments of `Client`."""
        if not _is_base(url):
            raise UsageError(f"{url} is no URL of a gateway; write it like {URL}")
        if key is not None and not (key.isascii() and key.isprintable() and " " not in key and key):
            raise UsageError("the API key is empty, or has a character that no header can carry")
        if time_limit <= 0 or connections < 1 or batch_size < 1:
            raise UsageError("time_limit must be above 0, connections and batch_size at least 1")
        self._settings = (url.rstrip("/"), key, time_limit, connections, on_wait)
        self._batch_size = batch_size
        self._open: Connection | None = None

    async def __aenter__(self) -> Self:
        # Late: the HTTP library takes most of the time that a command line needs to start.
        from intent_client.connection import Connection

        self._open = Connection(*self._settings)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._connection.close()
        self._open = None

    async def predict(
        self,
        text: str,
        *,
        role: Role | None = None,
        previous: str | None = None,
        top_k: int | None = None,
        threshold: float | None = None,
        version: int | None = None,
        label: str | None = None,
    ) -> Prediction:
        """As `Client.predict`."""
        options = {"top_k": top_k, "threshold": threshold, "version": version, "label": label}
        answer = await self._classify(text=text, role=role, previous=previous, **options)
        outcome = answer.outcome(answer.result)
        if isinstance(outcome, AnswerError):
            raise outcome
        return outcome

    async def predict_many(
        self,
        texts: Sequence[str | Turn],
        *,
        top_k: int | None = None,
        threshold: float | None = None,
        version: int | None = None,
        label: str | None = None,
    ) -> list[Prediction | AnswerError]:
        """As `Client.predict_many`."""
        options = {"top_k": top_k, "threshold": threshold, "version": version, "label": label}
        items = [_given(vars(text)) if isinstance(text, Turn) else text for text in texts]
        outcomes: list[Prediction | AnswerError] = []
        for start in range(0, len(items), self._batch_size):
            outcomes += await self._outcomes(items[start : start + self._batch_size], options)
        for index, outcome in enumerate(outcomes):
            if isinstance(outcome, AnswerError):
                # The gateway counts within one request; what it says of the field of an item is kept.
                field = (outcome.pointer or "").split("/", 3)[3:]
                outcome.pointer = "/".join(["/texts", str(index), *field])
        return outcomes

    async def intents(self, *, version: int | None = None, label: str | None = None) -> Intents:
        """As `Client.intents`."""
        query = {name: str(value) for name, value in _given({"version": version, "label": label}).items()}
        return convert(await self._connection.ask("GET", "/v1/intents", query=query), Answer).known()

    async def models(self) -> Models:
        """As `Client.models`."""
        return convert(await self._connection.ask("GET", "/v1/models"), Models)

    async def _outcomes(self, items: list[Any], options: dict[str, Any]) -> list[Prediction | AnswerError]:
        try:
            answer = await self._classify(texts=items, **options)
        except AnswerError as error:
            if not _concerns_texts(error):
                raise
            if len(items) == 1:
                return [error]
            middle = len(items) // 2
            first = await self._outcomes(items[:middle], options)
            return first + await self._outcomes(items[middle:], options)
        if len(answer.results) != len(items):
            raise BadAnswerError(f"{len(answer.results)} results for {len(items)} texts", request_id=answer.request_id)
        return [answer.outcome(result) for result in answer.results]

    async def _classify(self, **fields: Any) -> Answer:
        try:
            body = msgspec.json.encode(_given(fields))
        except UnicodeEncodeError:
            raise UsageError("a text is not UTF-8: it has a lone surrogate, which is half a character") from None
        return convert(await self._connection.ask("POST", "/v1/predict", body), Answer)

    @property
    def _connection(self) -> "Connection":
        if self._open is None:
            raise UsageError("open the client first: `with Client(...)`, `async with AsyncClient(...)`")
        return self._open


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    # What is not sent is left to the gateway's settings.
    return {name: value for name, value in fields.items() if value is not None}


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    extras = parts.query or parts.fragment or parts.username
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and not extras


def _concerns_texts(error: AnswerError) -> bool:
    # One that passes has been tried until time was up.
    return not error.passing and (error.status in (413, 500, 502) or (error.pointer or "").startswith("/text"))
