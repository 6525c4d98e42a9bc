"""The gRPC channel to the model server: its options, its load balancing, its TLS."""

import grpc

from gateway.settings.addresses import grpc_target
from gateway.settings.settings import Settings
from gateway.upstream.tls_files import read_tls_files

OPTIONS: tuple[tuple[str, int | str], ...] = (
    # The model server is a neighbour; a proxy meant for the internet must not get between.
    ("grpc.enable_http_proxy", 0),
    # With several addresses, or a name that has several, calls take turns; one that is away is left out.
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
    # A restarted model server is found again within half a second: with gRPC's jitter of 20 % the longest pause
    # between two attempts is 480 ms. Its own pauses grow to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 400),
    # In spite of its name the longest time for one attempt, with TLS and the first HTTP/2 frames. Long enough for a
    # busy server; short enough that a new try soon follows one that went to a hung or vanished server.
    ("grpc.min_reconnect_backoff_ms", 1000),
    # A name may lead to another address after a restart. gRPC would look it up twice a minute.
    ("grpc.dns_min_time_between_resolutions_ms", 500),
    # A ping goes out when calls wait and nothing at all has come for 2 s, the default deadline: to a healthy server
    # next to never. Without an answer in 2 s the connection is closed. So a hung or vanished server is left out of
    # round robin after 4 s, and calls with a long deadline are made again elsewhere.
    ("grpc.keepalive_time_ms", 2000),
    # The first is what counts in gRPC 1.85; its default is a minute. The second bounds unacknowledged TCP data.
    ("grpc.http2.ping_timeout_ms", 2000),
    ("grpc.keepalive_timeout_ms", 2000),
    # The stock server allows a ping each 5 minutes, forgives the first and two more, and forgets them all with
    # every answer that it sends. It hangs up ("too_many_pings") on the fourth ping without an answer between: so two
    # in a row, then one a minute until there is something else to send.
    ("grpc.http2.max_pings_without_data", 2),
    # On a connection without calls it allows a ping each 2 hours only.
    ("grpc.keepalive_permit_without_calls", 0),
    # No pings to measure the bandwidth: a few kilobytes need no larger window.
    ("grpc.http2.bdp_probe", 0),
)


def open_channel(settings: Settings) -> grpc.aio.Channel:
    """A channel that connects with the first call. Call it inside a running event loop.

    Raises:
        SettingsError: the address has none of the known forms, or a TLS file cannot be used.
    """
    target = grpc_target(settings.model_server)
    files = read_tls_files(settings)
    if files is None:
        return grpc.aio.insecure_channel(target, OPTIONS)
    credentials = grpc.ssl_channel_credentials(files.authorities, *(files.pair or ()))
    # The name that the certificate is checked for; else it is the host in the target.
    authority = (("grpc.default_authority", name),) if (name := settings.model_server_tls_name) else ()
    return grpc.aio.secure_channel(target, credentials, (*OPTIONS, *authority))
