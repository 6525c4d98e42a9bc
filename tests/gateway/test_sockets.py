"""The listening sockets: who shares a port, and how it closes without a reset."""

import socket
from collections.abc import Iterator

import pytest

from gateway.sockets import bind, bound_port, close, close_listener


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    sockets = bind("127.0.0.1", 0, shared=False)
    sockets[0].listen()
    yield sockets[0]
    close(sockets)


def test_a_port_that_is_listened_on_is_refused_even_to_those_who_would_share(listening: socket.socket) -> None:
    for shared in (False, True):
        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", bound_port([listening]), shared)


def test_those_who_share_can_all_listen() -> None:
    first = bind("127.0.0.1", 0, shared=True)
    second = bind("127.0.0.1", bound_port(first), shared=True)
    for it in (*first, *second):
        it.listen()
    close(first)
    close(second)


def test_who_has_connected_is_served_and_who_comes_later_is_refused(listening: socket.socket) -> None:
    address = listening.getsockname()
    with socket.create_connection(address) as early:
        early.sendall(b"early")
        listening.setblocking(False)
        (accepted,) = close_listener(listening)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        assert accepted.recv(5) == b"early"
        accepted.sendall(b"answer")
        assert early.recv(6) == b"answer"
        accepted.close()
