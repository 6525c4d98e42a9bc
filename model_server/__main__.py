"""Command line of the embedded model server; flags as in `tensorflow_model_server`, see `--help`."""

import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from model_server import command_line
from model_server.command_line import Options
from model_server.config import config
from model_server.errors import CheckFailure, FlagError, StatusError
from model_server.process import memory, runtime
from model_server.process.signals import StopSignal

# What the stock server's -1 becomes.
FAILED = 255

_log = logging.getLogger("model_server")


def main(words: Sequence[str]) -> int:
    """Runs the server until a signal; returns the exit status."""
    logging.basicConfig(format="%(asctime)s %(levelname).1s %(name)s] %(message)s", level=logging.INFO)
    usage = command_line.usage("python -m model_server")
    try:
        line = command_line.parse(words)
    except FlagError as error:
        _log.error("%s", error)
        print(usage, end="")
        return FAILED
    if line.wants_help:
        print(usage, end="")
        return FAILED
    if line.options.version:
        print(f"TensorFlow ModelServer: {version('tensorflow-serving-api')}")
        print(f"TensorFlow Library: {version('tensorflow')}")
        return 0
    if line.unknown:
        print(f"unknown argument: {line.unknown[0]}\n{usage}", end="", flush=True)
    for remark in command_line.without_effect(line.given):
        _log.warning("%s", remark)
    try:
        command_line.check(line.options)
        return serve(line.options)
    except StatusError as error:
        print(f"Failed to start server. Error: {error}")
        return FAILED
    except CheckFailure as failure:
        _log.critical("Check failed: %s", failure)
        sys.stdout.flush()
        os.abort()


def serve(options: Options) -> int:
    """Loads the models, then listens, until a signal; then drains.

    Raises:
        CheckFailure: the server cannot start, and the stock server would abort.
        StatusError: the server cannot start.
    """
    stop = StopSignal(lambda: end(0))
    if options.model_config_file:
        wanted = config.read_model_server_config(options.model_config_file)
    else:
        wanted = config.single_model_config(options.model_name, options.model_base_path)
    config.check(wanted.model_config_list)
    runtime.leave_out_warnings()
    memory.prepare()
    runtime.leave_out_api()
    # TensorFlow takes a second to import; whoever asks for help or mistypes something does not wait for it.
    from model_server.rest import rest_server
    from model_server.rpc import grpc_server
    from model_server.versions import reload
    from model_server.versions.loader import Loader
    from model_server.versions.manager import Manager
    from model_server.versions.server_core import ServerCore
    from model_server.versions.source import Source
    from model_server.versions.states import StateBoard

    cpus = os.cpu_count() or 1
    board = StateBoard()
    memory.settle()
    manager = Manager(Loader(options, cpus), board, initial_threads=4 * cpus, unload_threads=options.num_unload_threads)
    source = Source(options.file_system_poll_wait_seconds, manager.aspire)
    core = ServerCore(manager, source, board, options.allow_version_labels_for_unavailable_models)
    manager.start()
    core.apply(wanted)
    manager.finish_initial_load(options.num_load_threads)
    if options.model_config_file and options.model_config_file_poll_wait_seconds > 0:
        reload.poll(core, options.model_config_file, options.model_config_file_poll_wait_seconds)
    stop.listening()
    server = grpc_server.start(core, options)
    rest = rest_server.start(core, options)
    stop.wait()
    _log.info("Draining for at most %d s", options.drain_seconds)
    drained = server.stop(options.drain_seconds)
    if rest:
        rest.stop()
    drained.wait()
    return 0


def end(status: int) -> NoReturn:
    """Ends the process."""
    logging.shutdown()
    sys.stdout.flush()
    # Not sys.exit: the interpreter's end waits for loads in progress, and C++ threads abort the process on it.
    os._exit(status)


if __name__ == "__main__":
    end(main(sys.argv[1:]))
