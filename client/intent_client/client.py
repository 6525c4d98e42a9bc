"""The client: questions in, typed results out."""

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import msgspec

from intent_client.errors import AnswerError, BadAnswerError, ClientError, UsageError
from intent_client.results import Intents, Models, Prediction
from intent_client.turns import Role, Turn
from intent_client.wire import IntentsAnswer, Question, TextAnswer, TextsAnswer, decode

if TYPE_CHECKING:
    from intent_client.connection import Connection, OnWait

URL = "http://localhost:5000"
TIME_LIMIT = 10.0
BATCH_SIZE = 32
"""Texts in one request; the gateway takes 64 unless set otherwise."""


class Client:
    """Use it as `async with Client(...) as client`; all its requests share one pool of connections."""

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
        """Opens nothing yet.

        Args:
            url: where the gateway listens, a path before `/v1` included.
            key: an API key, if the gateway wants one.
            time_limit: seconds for a request with all its tries. Busy gateways (429, 503, 504) and lost connections
                are tried again until then; the gateway is told how much is left (`X-Request-Timeout`).
            connections: most connections at once; further requests wait for one.
            batch_size: most texts in one request of `predict_many`.
            on_wait: called with the error and the seconds before each wait for another try.

        Raises:
            UsageError: not a URL, a key that no header can carry, or a number below its least value.
        """
        if not _is_base(url):
            raise UsageError(f"{url} is no URL of a gateway; write it like {URL}")
        if key is not None and not (key.isascii() and key.isprintable() and " " not in key and key):
            raise UsageError("the API key is empty, or has a character that no header can carry")
        if time_limit <= 0 or connections < 1 or batch_size < 1:
            raise UsageError("time_limit must be above 0, connections and batch_size at least 1")
        self._url = url.rstrip("/")
        self._key = key
        self._time_limit = time_limit
        self._connections = connections
        self._batch_size = batch_size
        self._on_wait = on_wait
        self._open: Connection | None = None

    async def __aenter__(self) -> Self:
        # Late: the HTTP library takes most of the time that a command line needs to start.
        from intent_client.connection import Connection

        self._open = Connection(self._url, self._key, self._time_limit, self._connections, self._on_wait)
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
        """The intent of one text; what is None is left to the gateway's settings.

        Args:
            role: who said it.
            previous: what was said right before; empty: unknown.
            top_k: how many intents to list, at least 1.
            threshold: abstain below this score, 0 to 1.
            version: ask this model version.
            label: ask the version with this label; not both.

        Raises:
            AnswerError: refused or failed; see `code`.
            UnreachableError: nobody answered in time.
            BadAnswerError: something else than a gateway answers there.
        """
        question = Question(
            text=text, role=role, previous=previous, top_k=top_k, threshold=threshold, version=version, label=label
        )
        answer = decode(await self._post(question), TextAnswer)
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
        """A result for each text, in their order; a text that cannot be classified has its error in its place.

        Sends `batch_size` texts a request, one request after the other. A request that is refused for its size, or
        fails because of what is in it, is sent again as two halves, so that no text fails for another.

        Args: as of `predict`; a text with what is known around it is a `Turn`.

        Raises:
            AnswerError: refused or failed for a reason that concerns no text, like a wrong key or an unknown version.
            UnreachableError: nobody answered in time.
            BadAnswerError: something else than a gateway answers there.
        """
        outcomes: list[Prediction | AnswerError] = []
        for start in range(0, len(texts), self._batch_size):
            part = tuple(texts[start : start + self._batch_size])
            question = Question(texts=part, top_k=top_k, threshold=threshold, version=version, label=label)
            outcomes += await self._outcomes(question, part)
        for index, outcome in enumerate(outcomes):
            if isinstance(outcome, AnswerError):
                # The gateway counts within one request; what it says of the field of an item is kept.
                field = (outcome.pointer or "").split("/", 3)[3:]
                outcome.pointer = "/".join(["/texts", str(index), *field])
        return outcomes

    async def intents(self, *, version: int | None = None, label: str | None = None) -> Intents:
        """The intents of a model version, the gateway's default if none is named.

        Raises:
            ClientError: as of `predict`.
        """
        asked = {"version": version, "label": label}
        query = {name: str(value) for name, value in asked.items() if value is not None}
        answer = decode(await self._connection.ask("GET", "/v1/intents", query=query), IntentsAnswer)
        return Intents(answer.model.name, answer.model.version, answer.intents)

    async def models(self) -> Models:
        """The model's versions, their states and labels.

        Raises:
            ClientError: as of `predict`.
        """
        return decode(await self._connection.ask("GET", "/v1/models"), Models)

    async def _outcomes(self, question: Question, texts: tuple[str | Turn, ...]) -> list[Prediction | AnswerError]:
        try:
            answer = decode(await self._post(question), TextsAnswer)
        except AnswerError as error:
            if not _concerns_texts(error):
                raise
            if len(texts) == 1:
                return [error]
            halves = texts[: len(texts) // 2], texts[len(texts) // 2 :]
            return [
                outcome
                for half in halves
                for outcome in await self._outcomes(msgspec.structs.replace(question, texts=half), half)
            ]
        if len(answer.results) != len(texts):
            raise BadAnswerError(f"{len(answer.results)} results for {len(texts)} texts", request_id=answer.request_id)
        return [answer.outcome(item) for item in answer.results]

    async def _post(self, question: Question) -> bytes:
        try:
            body = msgspec.json.encode(question)
        except UnicodeEncodeError:
            raise UsageError("a text is not UTF-8: it has a lone surrogate, which is half a character") from None
        return await self._connection.ask("POST", "/v1/predict", body)

    @property
    def _connection(self) -> "Connection":
        if self._open is None:
            raise UsageError("use the client inside of `async with`")
        return self._open


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    extras = parts.query or parts.fragment or parts.username
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and not extras


def _concerns_texts(error: ClientError) -> bool:
    # One that passes has been tried until time was up.
    return not error.passing and (error.status in (413, 500, 502) or (error.pointer or "").startswith("/text"))
