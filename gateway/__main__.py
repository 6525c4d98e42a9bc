"""Command line of the gateway: `python -m gateway`, set up by GATEWAY_* variables."""

import argparse
import asyncio
import logging
import os
import sys

from gateway.errors import SettingsError
from gateway.settings import Settings, describe


def main() -> int:
    """Runs the gateway. Exit status: 0 after SIGTERM or SIGINT, 1 if it cannot listen, 2 for a wrong setting."""
    argparse.ArgumentParser(
        prog="python -m gateway",
        description="HTTP gateway in front of the model server: POST /predict, GET /status, /healthz, /readyz.",
        epilog=f"environment variables:\n{describe()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Whoever speaks no HTTP is answered with 400; a traceback each would fill the log. The application logs its own.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 2
    # Late, so that --help and a wrong setting are answered at once.
    from gateway.server import serve

    try:
        asyncio.run(serve(settings))
    except OSError as error:
        print(f"gateway: {error.strerror}; choose another with GATEWAY_HOST and GATEWAY_PORT", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
