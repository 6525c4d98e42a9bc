"""The listening sockets: bound alone or shared, and shut to new connections without a reset for anybody."""

import ctypes
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress

# <asm-generic/socket.h>; Python does not name it.
_SO_ATTACH_FILTER = 26
# A classic BPF program (<linux/bpf_common.h>) over the TCP header: drop what has the SYN flag, keep the rest whole.
_DROP_SYN = (
    (0x30, 0, 0, 13),  # ld byte 13, the flags
    (0x45, 0, 1, 0x02),  # jset SYN, else skip one
    (0x06, 0, 0, 0),  # ret 0 bytes
    (0x06, 0, 0, 0xFFFF),  # ret all bytes
)


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


def refuse_new(sockets: Sequence[socket.socket]) -> None:
    """From now on nobody new gets through, while what the kernel has begun to connect still does.

    Closing a listener resets the connections that wait in its queue, and there is no call that stops the queue alone.
    So the kernel is told to drop every first packet (SYN) to it. Whoever sent one tries again after a second and finds
    the listener closed, or another one. Only Linux can do this; elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _DROP_SYN))
    for it in sockets:
        # A sandbox may not know this option; then a few connections may be reset, as everywhere else.
        with suppress(OSError):
            it.setsockopt(
                socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_DROP_SYN), ctypes.addressof(program))
            )
