"""Command line of the gateway: `python -m gateway`."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.api_keys.keyring import read_keys
from gateway.errors import SettingsError
from gateway.settings.settings import Settings
from gateway.settings.sources import describe, read_settings
from gateway.sockets import bind, bound_port, close
from gateway.telemetry import logs
from gateway.upstream.tls_files import read_tls_files

_EPILOG = """\
how it ends:
  SIGTERM  /readyz says 503 while all is still served, for the load balancer's
           window; then nothing new is accepted, and what runs is finished
  SIGINT   (Ctrl-C) the same without the window
  a second signal ends it at once

exit status:
  0  ended by a signal, as above; or after --help or --print-config
  1  cannot listen, or its workers cannot start
  2  a wrong setting or command line; the last line says which
  143, 130  ended at once, by a second SIGTERM or SIGINT

settings:
  Each is an environment variable, as written here, or a key of the --config
  file, in lower case and without GATEWAY_. The command line goes before the
  environment, the environment before the file.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the gateway; the exit status is explained by `--help`."""
    options = _parser().parse_args(arguments)
    try:
        flags = {} if options.workers is None else {"workers": options.workers}
        sourced = read_settings(os.environ, options.config, flags)
        # Here too, so that a wrong file stops the start before any worker runs.
        if sourced.settings.keys_file:
            read_keys(Path(sourced.settings.keys_file))
        read_tls_files(sourced.settings)
    except SettingsError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 2
    if options.print_config:
        print(sourced.as_toml(), end="")
        return 0
    logs.configure(sourced.settings)
    return _listen(sourced.settings)


def _listen(settings: Settings) -> int:
    has_workers = settings.workers > 1
    try:
        sockets = bind(settings.host, settings.port, shared=False)
        port = bound_port(sockets)
        if has_workers:
            # Nobody else listens there. Now hold the port, without listening, for the workers to share.
            close(sockets)
            sockets = bind(settings.host, port, shared=True)
    except OSError as error:
        print(
            f"gateway: port {settings.port} of {settings.host} cannot be used: {error.strerror}; choose another with "
            "GATEWAY_HOST and GATEWAY_PORT",
            file=sys.stderr,
        )
        return 1
    if not has_workers:
        return _serve(settings, sockets)
    from gateway.workers import Workers

    def work(lifeline: int) -> int:
        close(sockets)
        return _serve(settings, bind(settings.host, port, shared=True), lifeline)

    return Workers(settings.workers, work).run()


def _serve(settings: Settings, sockets: Sequence[socket.socket], lifeline: int | None = None) -> int:
    # Late, so that --help and a wrong setting are answered at once, and workers are forked from a small process.
    import asyncio

    from gateway.server import serve

    try:
        asyncio.run(serve(settings, sockets, lifeline))
    except SettingsError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gateway",
        description="The HTTP gateway in front of the model server. What it answers stands\n"
        "in docs/gateway.md, and under /docs of the running gateway.",
        epilog=f"{_EPILOG}{describe()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with settings")
    parser.add_argument("--workers", type=int, metavar="N", help="processes that share the port (GATEWAY_WORKERS)")
    parser.add_argument(
        "--print-config", action="store_true", help="print the effective settings as TOML, with their origin, and end"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
