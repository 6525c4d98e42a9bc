"""The command line of the stock server: its flags, its syntax, and what it refuses.

Order, types and defaults of the flags are those of tensorflow_model_server 2.20; `drain_seconds` is ours alone. The
syntax is that of TensorFlow's own flag parser: only `--name=value` (a boolean may stand alone), a later flag wins, and
unknown words are collected, not refused.
"""

import dataclasses
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from model_server.errors import FlagError, invalid_argument, unimplemented


class Effect(Enum):
    """What a flag does in this server."""

    FULL = "as in the stock server"
    IGNORED = "accepted, without effect in this server"
    REJECTED = "not supported by this server: only the default is accepted"


def _flag(default: Any, usage: str, effect: Effect = Effect.FULL, kind: str = "") -> Any:
    """One flag. `kind` is what the usage text calls its type, where that is not the type of `default`."""
    return field(default=default, metadata={"usage": usage, "effect": effect, "kind": kind})


_CPUS = os.cpu_count() or 1


@dataclass(frozen=True)
class Options:
    """Every flag with its value."""

    port: int = _flag(8500, "TCP port of the gRPC API; 0 = none")
    grpc_socket_path: str = _flag("", "also listen for gRPC on this UNIX socket")
    rest_api_port: int = _flag(0, "port of the HTTP/REST API; 0 = none")
    rest_api_num_threads: int = _flag(4 * _CPUS, "threads that answer REST requests")
    rest_api_timeout_in_ms: int = _flag(30000, "time limit of a REST inference, in ms; 0 or less = none")
    rest_api_enable_cors_support: bool = _flag(False, "add CORS headers to REST answers")
    enable_batching: bool = _flag(False, "run requests of one version together")
    batching_parameters_file: str = _flag("", "BatchingParameters in text format")
    enable_per_model_batching_parameters: bool = _flag(
        False, "read batching_params.pbtxt beside each saved_model.pb; a model without one is not batched"
    )
    allow_version_labels_for_unavailable_models: bool = _flag(
        False, "let a new version label point to a version that is not loaded yet"
    )
    model_config_file: str = _flag("", "ModelServerConfig in text format; model_name and model_base_path are ignored")
    model_config_file_poll_wait_seconds: int = _flag(
        0, "pause between readings of model_config_file; 0 or less = read it once"
    )
    model_name: str = _flag("default", "name of the model at model_base_path")
    model_base_path: str = _flag("", "directory with one sub-directory a version; needed without model_config_file")
    num_load_threads: int = _flag(0, "threads that load versions; 0 = one at a time, in the manager's own thread")
    num_unload_threads: int = _flag(0, "threads that unload versions; 0 = the manager's own thread")
    max_num_load_retries: int = _flag(5, "how often a failed load is tried again")
    load_retry_interval_micros: int = _flag(
        60 * 1000 * 1000, "pause between attempts to load, in microseconds; negative = none", kind="int64"
    )
    file_system_poll_wait_seconds: int = _flag(
        1, "pause between looks for new versions; 0 = look once, negative = never look"
    )
    flush_filesystem_caches: bool = _flag(True, "drop file caches after the start", Effect.IGNORED)
    tensorflow_session_parallelism: int = _flag(0, "threads of a session, within and between ops", kind="int64")
    tensorflow_intra_op_parallelism: int = _flag(
        0, "threads within one op; 0 = 1 (the stock server: as many as cores)", kind="int64"
    )
    tensorflow_inter_op_parallelism: int = _flag(
        0, "threads between ops; 0 = as many as cores, of which a run uses one", kind="int64"
    )
    tensorflow_session_config_file: str = _flag("", "tensorflow.ConfigProto in text format; flags go before it")
    use_alts_credentials: bool = _flag(False, "Google ALTS for gRPC", Effect.REJECTED)
    ssl_config_file: str = _flag("", "SSLConfig in text format: gRPC over TLS")
    platform_config_file: str = _flag("", "PlatformConfigMap in text format", Effect.REJECTED)
    per_process_gpu_memory_fraction: float = _flag(0.0, "share of GPU memory", Effect.IGNORED)
    saved_model_tags: str = _flag("serve", "comma-separated tags of the MetaGraph to load")
    grpc_channel_arguments: str = _flag("", "comma-separated key=value arguments for the gRPC server")
    grpc_max_threads: int = _flag(
        4 * _CPUS, "threads for gRPC: one less than this many calls run at once, more are refused (RESOURCE_EXHAUSTED)"
    )
    enable_model_warmup: bool = _flag(True, "run a version's warm-up records before it serves")
    num_request_iterations_for_warmup: int = _flag(0, "how often each warm-up record is run; 0 = once")
    monitoring_config_file: str = _flag("", "MonitoringConfig in text format: Prometheus metrics")
    remove_unused_fields_from_bundle_metagraph: bool = _flag(True, "free memory of the MetaGraph", Effect.IGNORED)
    prefer_tflite_model: bool = _flag(False, "serve model.tflite where a version has one", Effect.REJECTED)
    num_tflite_pools: int = _flag(_CPUS, "TensorFlow Lite interpreter pools", Effect.IGNORED)
    num_tflite_interpreters_per_pool: int = _flag(1, "TensorFlow Lite interpreters a pool", Effect.IGNORED)
    enable_signature_method_name_check: bool = _flag(False, "Classify and Regress demand the matching method_name")
    xla_cpu_compilation_enabled: bool = _flag(False, "XLA on CPUs", Effect.IGNORED)
    xla_gpu_compilation_enabled: bool = _flag(False, "XLA on GPUs", Effect.IGNORED)
    enable_profiler: bool = _flag(True, "the profiler service", Effect.IGNORED)
    thread_pool_factory_config_file: str = _flag("", "ThreadPoolConfig in text format", Effect.REJECTED)
    mixed_precision: str = _flag("", "bfloat16: run in mixed precision", Effect.IGNORED)
    skip_initialize_tpu: bool = _flag(False, "do not set up TPUs", Effect.IGNORED)
    enable_grpc_healthcheck_service: bool = _flag(False, "the standard gRPC health service")
    enable_serialization_as_tensor_content: bool = _flag(
        False, "Predict answers in tensor_content instead of typed value fields"
    )
    version: bool = _flag(False, "print the versions and end")
    drain_seconds: int = _flag(
        30,
        "only in this server: on SIGTERM or SIGINT it stops accepting, finishes what runs within this many seconds and "
        "ends with status 0 (the stock server is cut off at once)",
    )


_FIELDS = {row.name: row for row in dataclasses.fields(Options)}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class CommandLine:
    """What the words of the command line say.

    Attributes:
        options: every flag with its value.
        given: names of the flags that were given.
        unknown: the words that are no flag, in order; all words from a bare `--` on.
    """

    options: Options
    given: frozenset[str]
    unknown: tuple[str, ...]

    @property
    def wants_help(self) -> bool:
        """`--help` counts only as the first word that is no flag."""
        return self.unknown[:1] == ("--help",)


def parse(words: Sequence[str]) -> CommandLine:
    """Reads the words after the program's name.

    Raises:
        FlagError: a value that its flag's type cannot hold.
    """
    values: dict[str, Any] = {}
    unknown: list[str] = []
    for position, word in enumerate(words):
        if word == "--":
            unknown.extend(words[position:])
            break
        name, equals, text = word.removeprefix("--").partition("=")
        row = _FIELDS.get(name) if word.startswith("--") else None
        if row is None or not (equals or isinstance(row.default, bool)):
            unknown.append(word)
        else:
            values[name] = _value(row, text if equals else "true")
    return CommandLine(Options(**values), frozenset(values), tuple(unknown))


def _value(row: "dataclasses.Field[Any]", text: str) -> Any:
    try:
        kind: type[Any] = type(row.default)
        if kind is bool:
            return _BOOLEANS[text.lower()]
        if kind is int and not re.fullmatch(r"\s*[+-]?[0-9]+", text):
            raise ValueError(text)
        return kind(text)
    except (KeyError, ValueError):
        raise FlagError(f"Couldn't interpret value {text} for flag {row.name}.") from None


def usage(program: str) -> str:
    """The usage text: one line a flag, with default, type and meaning."""
    return f"usage: {program}\nFlags:\n" + "".join(map(_usage_line, _FIELDS.values()))


def _usage_line(row: "dataclasses.Field[Any]") -> str:
    default = f'"{row.default}"' if isinstance(row.default, str) else str(row.default).lower()
    kind = row.metadata["kind"] or {bool: "bool", str: "string", float: "float"}.get(type(row.default), "int32")
    effect = row.metadata["effect"]
    remark = "" if effect is Effect.FULL else f" ({effect.value})"
    flag = f"--{row.name}={default}"
    return f"\t{flag:<56}\t{kind}\t{row.metadata['usage']}{remark}\n"


def check(options: Options) -> None:
    """Checks the flags before anything is read or loaded, in the stock server's order and words.

    Raises:
        StatusError: INVALID_ARGUMENT, flags that contradict each other; UNIMPLEMENTED, a flag that this server lacks.
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
    for row in _FIELDS.values():
        if row.metadata["effect"] is Effect.REJECTED and getattr(options, row.name) != row.default:
            raise unimplemented(f"--{row.name} is not supported by this server; leave it out or use the stock binary")


def without_effect(given: Iterable[str]) -> tuple[str, ...]:
    """One line for each given flag that changes nothing here."""
    ignored = (name for name in sorted(given) if _FIELDS[name].metadata["effect"] is Effect.IGNORED)
    return tuple(f"--{name}: {Effect.IGNORED.value}" for name in ignored)
