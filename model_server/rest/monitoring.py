"""What the REST listener has to do with metrics: their page, and the counting of its own requests."""

from model_server.command_line import Options
from model_server.config.config import read_text
from model_server.config.protos import MonitoringConfig
from model_server.metrics import metrics
from model_server.rest.rest_api import Outcome
from model_server.rest.rest_server import Exposition

DEFAULT_PATH = "/monitoring/prometheus/metrics"


def metrics_page(options: Options) -> Exposition | None:
    """The page, if there is a listener and the file that the flags name enables it.

    Raises:
        StatusError: the file is missing or does not parse; see `config.read_text`.
    """
    if not options.rest_api_port or not options.monitoring_config_file:
        return None
    config = read_text(options.monitoring_config_file, MonitoringConfig()).prometheus_config
    return Exposition(config.path or DEFAULT_PATH, metrics.exposition) if config.enable else None


def count(outcome: Outcome) -> None:
    """A REST request that was answered."""
    metrics.record_request(outcome.model_name, outcome.api, "REST", outcome.code, outcome.seconds)
