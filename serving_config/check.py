"""Finds in the configuration files what would stop the model server, or make it do something else than meant."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from model_server.config.protos import BatchingParameters, ModelServerConfig, MonitoringConfig
from serving_config.errors import ConfigFileError
from serving_config.files import ConfigFiles, read


@dataclass(frozen=True)
class Report:
    """What was found in one file."""

    path: Path
    summary: str
    """What a good file says, in a few words."""
    problems: tuple[str, ...]
    """One line each, with the file and what to do; empty for a good file."""


def check(files: ConfigFiles) -> list[Report]:
    """One report per file, in the order models, batching, monitoring."""
    return [
        _report(files.models, ModelServerConfig(), _models, _models_summary),
        _report(files.batching, BatchingParameters(), _batching, _batching_summary),
        _report(files.monitoring, MonitoringConfig(), _monitoring, _monitoring_summary),
    ]


def require_good(files: ConfigFiles) -> None:
    """Raises ConfigFileError with every problem, a line each, if there is any."""
    problems = [problem for report in check(files) for problem in report.problems]
    if problems:
        raise ConfigFileError("\n".join(problems))


def _report(
    path: Path, message: Any, problems: Callable[[Any], Iterator[str]], summary: Callable[[Any], str]
) -> Report:
    try:
        read(path, message)
    except ConfigFileError as error:
        return Report(path, "", (str(error),))
    return Report(path, summary(message), tuple(f"{path}: {problem}" for problem in problems(message)))


def _models(config: Any) -> Iterator[str]:
    models = config.model_config_list.config
    if config.HasField("custom_model_config"):
        yield "custom_model_config aborts the stock model server; use model_config_list"
    elif not models:
        yield "lists no model; add model_config_list { config { name: ... base_path: ... } }"
    names = [model.name for model in models]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f'model "{name}" is listed {names.count(name)} times; names must be unique'
    for place, model in enumerate(models, start=1):
        if not model.name:
            yield f"model number {place} has no name; add name"
        yield from (f'model "{model.name}": {problem}' for problem in _model(model))


def _model(model: Any) -> Iterator[str]:
    if not (model.base_path.startswith("/") or "://" in model.base_path):
        yield f'base_path "{model.base_path}" is not absolute; start it with /'
    if model.model_type:
        yield 'model_type is deprecated; use model_platform: "tensorflow" instead'
    elif model.model_platform != "tensorflow":
        yield f'model_platform "{model.model_platform}" is not supported; use "tensorflow"'
    policy = model.model_version_policy
    if policy.HasField("specific") and not policy.specific.versions:
        yield "model_version_policy is specific without versions, which serves none; add versions or use latest"
    if model.version_labels:
        yield (
            "version_labels at start stop the model server, because no version is loaded yet; "
            "set labels on the running server"
        )
    if model.HasField("logging_config"):
        yield "logging_config stops the stock model server, which has no request logger; remove it"


def _batching(config: Any) -> Iterator[str]:
    for name in ("max_batch_size", "max_enqueued_batches", "num_batch_threads", "max_execution_batch_size"):
        if config.HasField(name) and getattr(config, name).value < 1:
            yield f"{name} is {getattr(config, name).value}; use at least 1"
    if config.batch_timeout_micros.value < 0:
        yield f"batch_timeout_micros is {config.batch_timeout_micros.value}; use 0 or more"
    if config.pad_variable_length_inputs:
        yield "pad_variable_length_inputs repeats the first element, which is wrong for BERT; pad in the graph instead"
    limit, largest = _run_limit(config)
    if largest > _max_batch_size(config):
        yield f"max_execution_batch_size is above max_batch_size {_max_batch_size(config)}; lower it"
    sizes = list(config.allowed_batch_sizes)
    if sizes and (sizes[0] < 1 or any(low >= high for low, high in pairwise(sizes))):
        yield f"allowed_batch_sizes {sizes} do not grow from 1 or more; sort them and drop repetitions"
    if sizes and sizes[-1] != largest:
        yield f"the last of allowed_batch_sizes is {sizes[-1]}; it must be {limit}, which is {largest}"


def _max_batch_size(config: Any) -> int:
    # 1000 is the model server's own default.
    return int(config.max_batch_size.value) if config.HasField("max_batch_size") else 1000


def _run_limit(config: Any) -> tuple[str, int]:
    """Which field bounds the rows of one run, and by how many."""
    if config.enable_large_batch_splitting.value and config.HasField("max_execution_batch_size"):
        return "max_execution_batch_size", int(config.max_execution_batch_size.value)
    return "max_batch_size", _max_batch_size(config)


def _monitoring(config: Any) -> Iterator[str]:
    path = config.prometheus_config.path
    if path and not path.startswith("/"):
        yield f'prometheus_config path "{path}" is not absolute; start it with /'


def _models_summary(config: Any) -> str:
    return "serves " + ", ".join(f"{model.name} from {model.base_path}" for model in config.model_config_list.config)


def _batching_summary(config: Any) -> str:
    return (
        f"requests of up to {_max_batch_size(config)} rows, run in batches of up to {_run_limit(config)[1]}, "
        f"waiting {config.batch_timeout_micros.value} µs for more"
    )


def _monitoring_summary(config: Any) -> str:
    monitoring = config.prometheus_config
    return f"Prometheus metrics at {monitoring.path or '(stock path)'}" if monitoring.enable else "no metrics"
