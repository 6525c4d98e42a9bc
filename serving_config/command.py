"""The command lines of model server and gateway."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serving_config.binary import model_server_command
from serving_config.files import ConfigFiles

NAME_VARIABLE = "GATEWAY_MODEL_NAME"
"""The gateway's setting that names the model it asks."""
GRPC_MAX_THREADS = 256
"""Calls that the model server works on or keeps waiting; beyond, it answers RESOURCE_EXHAUSTED at once.

Each holds a thread that mostly sleeps in the batching queue. The server's default, 4 per core, was measured to refuse
calls from 8 at a time on, on two cores. 256 single rows are 8 full batches, at the measured 800 rows a second a third
of a second of work: more would only wait for their deadline.
"""


@dataclass(frozen=True)
class Ports:
    """The TCP ports of both processes."""

    gateway: int
    grpc: int
    rest: int


def model_server(files: ConfigFiles, models_config: Path, ports: Ports) -> list[str]:
    """The model server's command line, for the stock binary and the embedded server alike.

    Raises:
        BinaryNotFoundError: TENSORFLOW_MODEL_SERVER names no executable file.
    """
    flags = {
        "port": ports.grpc,
        "rest_api_port": ports.rest,
        "model_config_file": models_config.resolve(),
        # A new version is taken up within a second of its directory's appearance.
        "file_system_poll_wait_seconds": 1,
        "enable_batching": "true",
        "batching_parameters_file": files.batching.resolve(),
        "monitoring_config_file": files.monitoring.resolve(),
        "grpc_max_threads": GRPC_MAX_THREADS,
        # Measured: single rows run 2 to 3 times faster on one thread than on two; batches make use of the other cores.
        "tensorflow_intra_op_parallelism": 1,
        # tensorflow_inter_op_parallelism stays unset: one thread a core in the stock server; in the embedded one a pool
        # of one thread for each core, where a run stays on its thread. With 2 set, a lone row's ops go to and fro
        # between both, which costs CPU and time.
    }
    return [*model_server_command(), *(f"--{name}={value}" for name, value in flags.items())]


def gateway() -> list[str]:
    """The gateway's command line; its settings are environment variables."""
    return [sys.executable, "-m", "gateway"]


def gateway_environment(
    host: str, ports: Ports, model_name: str, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The variables that tie the gateway to this model server; any other GATEWAY_ variable is left to the operator.

    No load balancer looks at what `start` runs, so a stop need not wait for one, unless `environment` says so.
    """
    window = "GATEWAY_LOAD_BALANCER_WINDOW_SECONDS"
    return {
        window: environment.get(window, "0"),
        "GATEWAY_HOST": host,
        "GATEWAY_PORT": str(ports.gateway),
        "GATEWAY_MODEL_SERVER": f"127.0.0.1:{ports.grpc}",
        NAME_VARIABLE: model_name,
    }
