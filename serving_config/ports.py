"""Whether the ports are free. The model server would not say: gRPC shares a taken port without an error."""

import socket

from serving_config.command import Ports
from serving_config.errors import PortTakenError


def require_free(ports: Ports) -> None:
    """Raises PortTakenError for the first port that something listens on, or that is used twice."""
    named = {"--port": ports.gateway, "--grpc-port": ports.grpc, "--rest-port": ports.rest}
    if len(set(named.values())) < len(named):
        raise PortTakenError(f"one port is used twice: {', '.join(f'{name} {port}' for name, port in named.items())}")
    for name, port in named.items():
        with socket.socket() as probe:
            # Connections of the last run that are still closing do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError as error:
                raise PortTakenError(
                    f"port {port} cannot be used: {error.strerror}; stop what listens there, "
                    f"or choose another with {name}"
                ) from None
