"""The errors of the client.

ClientError
├── AnswerError         the gateway refused the request or failed on it, and said why
├── UnreachableError    `unreachable`: no connection, a lost one, or no answer in time
├── BadAnswerError      `bad_answer`: what answers is not this gateway
└── UsageError          `usage`: an argument, or a file of `batch`, that cannot be used
"""

# Busy, or not there for a moment. The gateway answers 504 when the time it was given is up; more may be left.
_PASSING = frozenset({429, 503, 504})


class ClientError(Exception):
    """Everything that the client raises; its text is `detail`."""

    code = "client_error"
    """The stable name that programs compare: the gateway's codes, and those in the tree above."""

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        code: str | None = None,
        pointer: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """`status`: of HTTP; `pointer`: JSON pointer to the field that is meant; `retry_after`: seconds."""
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code or type(self).code
        self.pointer = pointer
        self.request_id = request_id
        self.retry_after = retry_after
        self.passing = status in _PASSING
        """Whether the same request may succeed a little later."""


class AnswerError(ClientError):
    """An HTTP status of 300 or more, or the error of one text of several."""


class UnreachableError(ClientError):
    """No answer came. The gateway may have worked on the request, which changes nothing there."""

    code = "unreachable"


class BadAnswerError(ClientError):
    """The URL leads to something else, or to a gateway of another kind."""

    code = "bad_answer"


class UsageError(ClientError):
    """The text says what to do."""

    code = "usage"
