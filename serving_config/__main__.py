"""Command line of serving_config: `python -m serving_config check|start|messages`."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from serving_config.errors import ServingConfigError

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Exit status: 0 done, 1 with the reason on stderr, 2 for a wrong command line."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.run(arguments))
    except ServingConfigError as error:
        print(f"serving_config: {error}", file=sys.stderr)
        return 1


def _check(arguments: argparse.Namespace) -> int:
    from serving_config.check import check
    from serving_config.files import ConfigFiles

    reports = check(ConfigFiles(arguments.config))
    for report in reports:
        if not report.problems:
            print(f"{report.path}: ok, {report.summary}")
        for problem in report.problems:
            print(problem, file=sys.stderr)
    return int(any(report.problems for report in reports))


def _start(arguments: argparse.Namespace) -> int:
    from serving_config import command, models
    from serving_config.check import require_good
    from serving_config.client import Client
    from serving_config.files import ConfigFiles
    from serving_config.ports import require_free
    from serving_config.supervisor import Started, Supervisor

    files = ConfigFiles(arguments.config)
    require_good(files)
    models_config = arguments.state / "models.config"
    names = models.resolve(files, arguments.models, models_config)
    model_name = models.choose(names, files.models, os.environ)
    ports = command.Ports(arguments.port, arguments.grpc_port, arguments.rest_port)
    require_free(ports)
    commands = {
        "model server": (command.model_server(files, models_config, ports), {}),
        "gateway": (command.gateway(), command.gateway_environment(arguments.host, ports, model_name)),
    }
    _say(f"starting the model server (gRPC {ports.grpc}, REST {ports.rest}) and the gateway (HTTP {ports.gateway})")
    started = Started(Client(arguments.host, ports), _say, arguments.wait, arguments.example)
    asyncio.run(Supervisor(_say).run(commands, started))
    _say("stopped")
    return 0


def _messages(arguments: argparse.Namespace) -> int:
    from serving_config.files import write_bytes
    from serving_config.messages import file_descriptor_set

    content = file_descriptor_set()
    write_bytes(arguments.output, content)
    print(f"{arguments.output}: {len(content)} bytes")
    return 0


def _say(line: str) -> None:
    # The children write to the same terminal: the prefix tells whose line it is, the flush keeps the order.
    print(f"serving_config: {line}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m serving_config",
        description="The configuration that model server and gateway start from, and the command that starts both.",
        epilog="TENSORFLOW_MODEL_SERVER=/path/to/tensorflow_model_server chooses the model server; without it, the one "
        "on PATH, else the embedded one.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="validate the configuration files; exit status 1 if one is wrong")
    check.set_defaults(run=_check)

    start = commands.add_parser(
        "start",
        help="run model server and gateway until Ctrl-C",
        description="Runs model server and gateway until Ctrl-C or SIGTERM; then stops the gateway first and the model "
        "server last. GATEWAY_ variables (python -m gateway --help) reach the gateway; where models.config lists "
        "several models, GATEWAY_MODEL_NAME says which one it asks.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    start.set_defaults(run=_start)
    start.add_argument("--models", type=Path, default=Path("models"), metavar="DIR", help="stands for /models")
    start.add_argument("--host", default="0.0.0.0", help="address the gateway listens on")
    start.add_argument("--port", type=_port, default=5000, help="the gateway's HTTP port")
    start.add_argument("--grpc-port", type=_port, default=8500, help="the model server's gRPC port")
    start.add_argument("--rest-port", type=_port, default=8501, help="the model server's REST port")
    start.add_argument("--example", action="store_true", help="send one example request when ready, and print it")
    start.add_argument("--wait", type=float, default=300, metavar="SECONDS", help="give up if not ready by then")
    start.add_argument("--state", type=Path, default=ROOT / "run", metavar="DIR", help="for the resolved models.config")

    messages = commands.add_parser("messages", help="make the gateway's messages.binpb from tensorflow-serving-api")
    messages.set_defaults(run=_messages)
    messages.add_argument("--output", type=Path, default=ROOT / "gateway/upstream/messages.binpb", metavar="FILE")

    for command in (check, start):
        command.add_argument(
            "--config", type=Path, default=ROOT / "serving_config", metavar="DIR", help="where the three files are"
        )
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is not a port; use 1 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
