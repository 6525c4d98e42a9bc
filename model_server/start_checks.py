"""What is wrong with a command line before anything is read or loaded, in the stock server's order and words."""

import dataclasses
from collections.abc import Iterable

from model_server.errors import invalid_argument, unimplemented
from model_server.options import Effect, Options


def check(options: Options) -> None:
    """Raises the first complaint.

    Raises:
        StatusError: INVALID_ARGUMENT, flags that do not go together; UNIMPLEMENTED, a flag this server cannot honour.
    """
    if options.port == 0 and not options.grpc_socket_path:
        raise invalid_argument(
            "At least one of server_options.grpc_port or server_options.grpc_socket_path must be set."
        )
    if options.use_alts_credentials and options.ssl_config_file:
        raise invalid_argument("Either use_alts_credentials must be false or ssl_config_file must be empty.")
    if not options.model_base_path and not options.model_config_file:
        raise invalid_argument("Both server_options.model_base_path and server_options.model_config_file are empty!")
    if options.batching_parameters_file and not options.enable_batching:
        raise invalid_argument(
            "server_options.batching_parameters_file is set without setting server_options.enable_batching to true."
        )
    if options.tensorflow_session_parallelism and (
        options.tensorflow_intra_op_parallelism and options.tensorflow_inter_op_parallelism
    ):
        raise invalid_argument(
            "Either configure server_options.tensorflow_session_parallelism or "
            "(server_options.tensorflow_intra_op_parallelism, server_options.tensorflow_inter_op_parallelism) "
            "separately. You cannot configure all."
        )
    for row in dataclasses.fields(options):
        if row.metadata["effect"] is Effect.REJECTED and getattr(options, row.name) != row.default:
            raise unimplemented(f"--{row.name} is not supported by this server; leave it out or use the stock binary")


def without_effect(given: Iterable[str]) -> tuple[str, ...]:
    """One line for each given flag that changes nothing here."""
    effects = {row.name: row.metadata["effect"] for row in dataclasses.fields(Options)}
    return tuple(f"--{name}: {effects[name].value}" for name in sorted(given) if effects[name] is Effect.IGNORED)
