"""The synchronous client: `AsyncClient` on an event loop in a thread of its own, so that both behave the same."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from intent_client.answers import Intents, Models, Prediction, Role, Turn
from intent_client.async_client import BATCH_SIZE, TIME_LIMIT, URL, AsyncClient
from intent_client.errors import AnswerError, UsageError

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from intent_client.connection import OnWait

T = TypeVar("T")


class Client:
    """Use it as `with Client(...) as client`. Many threads may use it at once; they share one pool of connections."""

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
            url: where the gateway listens, with the path before `/v1` if there is one.
            key: an API key, if the gateway wants one.
            time_limit: seconds for a request with all its tries. Busy gateways (429, 503, 504) and lost connections
                are tried again until then; the gateway is told how much is left (`X-Request-Timeout`).
            connections: most connections at once; further requests wait for one.
            batch_size: most texts in one request of `predict_many`.
            on_wait: called, in the client's thread, with the error and the seconds before each wait for another try.

        Raises:
            UsageError: not a URL, a key that no header can carry, or a number below its least value.
        """
        self._client = AsyncClient(
            url, key=key, time_limit=time_limit, connections=connections, batch_size=batch_size, on_wait=on_wait
        )
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    def __enter__(self) -> Self:
        from anyio.from_thread import start_blocking_portal

        self._portal = self._stack.enter_context(start_blocking_portal())
        self._stack.enter_context(self._portal.wrap_async_context_manager(self._client))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._portal = None
        self._stack.__exit__(kind, error, traceback)

    def predict(
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
            UnreachableError: no answer came in time.
            BadAnswerError: what answers is not a gateway.
        """
        options: dict[str, Any] = {"top_k": top_k, "threshold": threshold, "version": version, "label": label}
        return self._run(self._client.predict, text, role=role, previous=previous, **options)

    def predict_many(
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

        Args: as of `predict`; a text with who said it and what was said before is a `Turn`.

        Raises:
            ClientError: as of `predict`, for a reason that concerns no text, like a wrong key or an unknown version.
        """
        options: dict[str, Any] = {"top_k": top_k, "threshold": threshold, "version": version, "label": label}
        return self._run(self._client.predict_many, texts, **options)

    def intents(self, *, version: int | None = None, label: str | None = None) -> Intents:
        """The intents that a model version knows; the gateway's default version if none is named.

        Raises:
            ClientError: as of `predict`.
        """
        return self._run(self._client.intents, version=version, label=label)

    def models(self) -> Models:
        """The model's versions, their states and labels.

        Raises:
            ClientError: as of `predict`.
        """
        return self._run(self._client.models)

    def _run(self, method: Callable[..., Awaitable[T]], *arguments: Any, **options: Any) -> T:
        if self._portal is None:
            raise UsageError("open the client first: `with Client(...)`, `async with AsyncClient(...)`")
        return self._portal.call(partial(method, *arguments, **options))
