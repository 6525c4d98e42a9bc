"""How many gRPC calls run at once, and the refusal of the others."""

from collections import deque
from typing import Any

import grpc


class Admission:
    """Refuses calls as the stock server does, whose pool always keeps one thread free to listen.

    Hence `max_threads` of n let n - 1 calls run at once, and 1 refuses every call.
    """

    def __init__(self, max_threads: int) -> None:
        # Taken and put back without a lock: the deque's own operations are atomic.
        self._tickets = deque(range(max_threads - 1))

    def limit(self, method: "grpc.RpcMethodHandler[Any, Any]") -> "grpc.RpcMethodHandler[Any, Any]":
        """The same unary method, which answers RESOURCE_EXHAUSTED while too many calls run."""
        answer: Any = method.unary_unary

        def answer_if_free(request: Any, context: grpc.ServicerContext) -> Any:
            try:
                ticket = self._tickets.pop()
            except IndexError:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")
            try:
                return answer(request, context)
            finally:
                self._tickets.append(ticket)

        return grpc.unary_unary_rpc_method_handler(
            answer_if_free, method.request_deserializer, method.response_serializer
        )
