"""The errors of the client.

ClientError
├── AnswerError         the gateway refused the request or failed on it, and said why
├── UnreachableError    `unreachable`: no connection, a lost one, or no answer in time
├── BadAnswerError      `bad_answer`: something answers, but not as this gateway does
└── UsageError          `usage`: an argument, or a file of `batch`, that cannot be used
"""

# Busy, or not there for a moment. The gateway answers 504 when it has cut the time it was given; more may be left.
_PASSING = frozenset({429, 503, 504})


class ClientError(Exception):
    """Everything that the client raises; its text is `detail`."""

    code: str = "client_error"
    """The stable name that programs compare: the gateway's codes, and those in the tree above."""
    passing: bool = False
    """Whether the same request may succeed a little later."""

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        pointer: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """`status` of HTTP, None without an answer; `pointer`: JSON pointer to the field; `retry_after` in seconds."""
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.pointer = pointer
        self.request_id = request_id
        self.retry_after = retry_after


class AnswerError(ClientError):
    """An HTTP status of 300 or more, or the error of one text of several."""

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status: int,
        pointer: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail, status=status, pointer=pointer, request_id=request_id, retry_after=retry_after)
        self.code = code
        self.passing = status in _PASSING


class UnreachableError(ClientError):
    """Nobody answered; whether the gateway has worked on the request is unknown, but asking changes nothing there."""

    code = "unreachable"
    passing = True


class BadAnswerError(ClientError):
    """The URL leads to something else, or to a gateway of another kind."""

    code = "bad_answer"


class UsageError(ClientError):
    """The text says what to do."""

    code = "usage"
