"""Command line of the instance's programs; the units in ../units start them."""

import argparse
import sys
import time
from pathlib import Path

from cloudformation.image.instance.errors import InstanceError, NotReadyError

RELEASE = Path(__file__).parents[3]


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 done, 1 with the reason on stderr, 2 for a wrong command line."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except InstanceError as error:
        print(f"intent: {error}", file=sys.stderr)
        return 1


def _configure(options: argparse.Namespace) -> int:
    from cloudformation.image.instance import files
    from cloudformation.image.instance.keys import fetch_keys
    from cloudformation.image.instance.settings import read_settings
    from cloudformation.image.instance.telemetry import write_agent_files

    settings = read_settings(options.settings)
    write_agent_files(settings, options.folder)
    keys = fetch_keys(settings, options.folder)
    files.write(options.folder / "gateway.env", f"GATEWAY_KEYS_FILE={keys}\n" if keys else "", 0o640)
    _say("with API keys" if keys else "without API keys: everybody whom the load balancer admits may ask")
    return 0


def _keys(options: argparse.Namespace) -> int:
    from cloudformation.image.instance.keys import fetch_keys
    from cloudformation.image.instance.settings import read_settings

    fetch_keys(read_settings(options.settings), options.folder)
    return 0


def _signal(options: argparse.Namespace) -> int:
    from cloudformation.image.instance.metadata import instance_id
    from cloudformation.image.instance.readiness import wait_until_ready
    from cloudformation.image.instance.rollout import Rollout
    from cloudformation.image.instance.settings import read_settings

    settings = read_settings(options.settings)
    # Of the fleet's patience these are four fifths (service.yaml); the rest is for the load balancer's checks.
    until = time.monotonic() + settings.ready_seconds * 5 / 4
    rollout = Rollout(settings, instance_id() if settings.hook or settings.stack else "", _say)
    try:
        wait_until_ready(options.url, settings.ready_seconds)
    except NotReadyError:
        rollout.not_ready()
        raise
    _say("the gateway is ready")
    rollout.ready(until - time.monotonic())
    return 0


def _model_server(_options: argparse.Namespace) -> int:
    from cloudformation.image.instance.model_server import become

    become(RELEASE)


def _golden(options: argparse.Namespace) -> int:
    from cloudformation.image.instance.golden import ask_golden
    from cloudformation.image.instance.readiness import wait_until_ready

    wait_until_ready(options.url, options.wait)
    for line in ask_golden(options.url, options.questions, options.release):
        _say(line)
    return 0


def _say(line: str) -> None:
    print(f"intent: {line}", flush=True)


def _parser() -> argparse.ArgumentParser:
    from cloudformation.image.instance.files import FOLDER
    from cloudformation.image.instance.readiness import URL
    from cloudformation.image.instance.settings import FILE

    parser = argparse.ArgumentParser(prog="python -m cloudformation.image.instance", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    described = {
        "configure": (_configure, "write the gateway's and the agent's settings of this instance, with the keys"),
        "keys": (_keys, "fetch the keys again"),
        "signal": (_signal, "wait until this instance is ready, and tell who waits for it"),
        "model-server": (_model_server, "become the model server"),
        "golden": (_golden, "ask the golden questions; exit status 1 if an answer is not as it must be"),
    }
    for name, (run, text) in described.items():
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        if name in ("configure", "keys", "signal"):
            command.add_argument("--settings", type=Path, default=FILE, metavar="FILE", help="default: %(default)s")
        if name in ("configure", "keys"):
            command.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR", help="default: %(default)s")
        if name in ("signal", "golden"):
            command.add_argument("--url", default=URL, help="of the gateway (default: %(default)s)")
        if name == "golden":
            command.add_argument("--wait", type=float, default=300, metavar="SECONDS", help="for readiness")
            questions = RELEASE / "cloudformation" / "image" / "golden.json"
            command.add_argument("--questions", type=Path, default=questions, metavar="FILE")
            command.add_argument("--release", type=Path, default=RELEASE / "RELEASE.json", metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
