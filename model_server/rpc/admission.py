"""How many gRPC calls run at once, and the refusal of the others."""

from collections import deque

import grpc

from model_server.rpc.services import Answer, Response


class Admission:
    """Refuses calls as the stock server does, whose pool always keeps one thread free to listen.

    Hence `max_threads` of n let n - 1 calls run at once, and 1 refuses every call.
    """

    def __init__(self, max_threads: int) -> None:
        # Taken and put back without a lock: the deque's own operations are atomic.
        self._tickets = deque(range(max_threads - 1))

    def limit(self, answer: Answer) -> Answer:
        """The same answer, but RESOURCE_EXHAUSTED while too many calls run."""

        def answer_if_free(request: bytes, context: grpc.ServicerContext) -> Response:
            try:
                ticket = self._tickets.pop()
            except IndexError:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")
            try:
                return answer(request, context)
            finally:
                self._tickets.append(ticket)

        return answer_if_free
