"""Command line: `python -m gateway.api_keys NAME`."""

import argparse
import sys
from collections.abc import Sequence

from gateway.api_keys.key import ApiKey, digest, new_secret
from gateway.errors import SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes a key. Exit status: 0, or 2 if a name or rate cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m gateway.api_keys",
        description="Makes an API key. Its line for the file of GATEWAY_KEYS_FILE goes to standard output, the key "
        "itself to standard error: give it to the caller, it is kept nowhere.",
        epilog="example: python -m gateway.api_keys mobile-app --rate 10 >> keys.txt\n"
        "The gateway reads a changed file within a second; delete a line, and its key is refused.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="who will call with it: 1 to 64 of A-Z a-z 0-9 . _ -")
    parser.add_argument("--rate", type=float, metavar="N", help="requests a second it may make; default: no limit")
    options = parser.parse_args(arguments)
    secret = new_secret()
    try:
        key = ApiKey(options.name, digest(secret), options.rate)
    except SettingsError as error:
        parser.error(str(error))
    print(secret, file=sys.stderr)
    print(key)
    return 0


if __name__ == "__main__":
    sys.exit(main())
