"""The listening sockets: bound alone or shared, and closed without a reset for who has connected already."""

import socket
from collections.abc import Sequence
from contextlib import suppress


def bind(host: str, port: int, shared: bool) -> list[socket.socket]:
    """A socket for each address of the host, all with the same port (0: a free one), not listening yet.

    `shared` lets other processes of the same user bind the port too, if they ask for it as well; the kernel then
    spreads the connections over those that listen.

    Raises:
        OSError: the host is unknown, or the port is taken or not allowed.
    """
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            it = socket.socket(family, kind, protocol)
            sockets.append(it)
            # Connections of the last run that are still closing do not hold the port.
            it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                it.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            it.bind((address[0], bound_port(sockets) or port, *address[2:]))
    except OSError:
        close(sockets)
        raise
    return sockets


def bound_port(sockets: Sequence[socket.socket]) -> int:
    """The port of sockets made by `bind`."""
    return int(sockets[0].getsockname()[1])


def close(sockets: Sequence[socket.socket]) -> None:
    """Closes them all."""
    for it in sockets:
        it.close()


def close_listener(listener: socket.socket) -> list[socket.socket]:
    """Closes a non-blocking listener, and returns the connections in its queue, which closing would have reset."""
    waiting = []
    with suppress(BlockingIOError):
        while True:
            waiting.append(listener.accept()[0])
    listener.close()
    return waiting
