"""How long to wait before the next try."""

import asyncio
import random
import time

from intent_client.errors import ClientError

FIRST_SECONDS = 0.1
"""After the first failure; twice as long after each further one."""
LONGEST_SECONDS = 5.0
# Clients that failed together must not come back together.
_SPREAD = 0.25


class Pause:
    """One per client: what the gateway asked of one request holds for the others too."""

    def __init__(self) -> None:
        self._until = 0.0
        self._reason: ClientError | None = None

    def after(self, error: ClientError, failures: int) -> float:
        """Seconds until the next try: more with each failure in a row, and never less than the gateway asked for."""
        backoff = min(FIRST_SECONDS * 2.0 ** min(failures - 1, 30), LONGEST_SECONDS) * random.uniform(1 - _SPREAD, 1)
        if error.retry_after is None:
            return backoff
        seconds = max(backoff, error.retry_after * random.uniform(1, 1 + _SPREAD))
        self._until = max(self._until, time.monotonic() + seconds)
        self._reason = error
        return seconds

    async def over(self, ends: float) -> None:
        """Returns when nothing keeps a request from being sent.

        Raises:
            ClientError: what the gateway said, if the pause lasts longer than `ends` (monotonic seconds).
        """
        while (left := self._until - time.monotonic()) > 0:
            if self._until >= ends and self._reason is not None:
                raise self._reason.with_traceback(None)
            await asyncio.sleep(left)
