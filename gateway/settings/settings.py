"""The gateway's settings: one frozen object, every value checked, alone and against the others.

`settings_sources` reads it from environment, file and command line.
"""

import math
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from typing import Any

from gateway.errors import SettingsError
from gateway.settings.addresses import grpc_target

PREFIX = "GATEWAY_"


def _setting(default: Any, text: str, low: float = 0, high: float = float("inf"), choices: tuple[str, ...] = ()) -> Any:
    """A field with its help text, the smallest and largest legal number, and the legal words."""
    return field(default=default, metadata={"text": text, "low": low, "high": high, "choices": choices})


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is the environment variable `GATEWAY_<NAME>`, and in lower case the key of the TOML file.

    Raises:
        SettingsError: a value is out of range, or two values contradict each other.
    """

    host: str = _setting("0.0.0.0", "address to listen on; the default listens on every interface")
    port: int = _setting(5000, "TCP port to listen on; 0 picks a free one and logs it", 0, 65535)
    workers: int = _setting(1, "number of processes that share the port; each uses about one core", 1, 64)

    model_server: str = _setting(
        "127.0.0.1:8500", "the model server: host:port, unix:/path, or several ip:port with commas between"
    )
    model_name: str = _setting("intent", "the model's name in the model server's configuration")
    model_label: str = _setting(
        "", "version label that answers requests which name none; empty = the newest version answers"
    )
    model_server_ca_file: str = _setting(
        "", "PEM file with the authorities that signed the model server's certificate; setting it turns TLS on"
    )
    model_server_certificate_file: str = _setting("", "PEM file with the gateway's own certificate, for mutual TLS")
    model_server_key_file: str = _setting("", "PEM file with the key of that certificate")
    model_server_tls_name: str = _setting(
        "", "name in the model server's certificate; TLS needs it with unix:/path or several addresses"
    )

    deadline_seconds: float = _setting(2.0, "deadline of a request that sends no X-Request-Timeout", 0.001)
    max_deadline_seconds: float = _setting(10.0, "longest deadline that X-Request-Timeout can ask for", 0.001)
    body_seconds: float = _setting(10.0, "time for a client to send its body; a slower one is answered with 408", 0.001)
    max_body_bytes: int = _setting(262144, "longest request body in bytes; a longer one is answered with 413", 1)
    # The model reads the first 128 word pieces, in English about 600 characters.
    max_text_characters: int = _setting(4096, "longest text in characters; a longer one is answered with 413", 1)
    max_texts: int = _setting(64, "most texts in one request; more are answered with 413", 1)
    max_json_depth: int = _setting(8, "deepest nesting of a body; a deeper one is answered with 400", 3, 100)

    top_k: int = _setting(3, "intents that /v1/predict lists when the request sets no top_k", 1)
    threshold: float = _setting(
        0.0,
        "score below which /v1/predict abstains when the request sets no threshold; the model card recommends one",
        0,
        1,
    )

    max_in_flight: int = _setting(64, "requests that wait for the model server at the same time; further ones queue", 1)
    max_queue: int = _setting(256, "longest queue; further requests are answered with 503 and Retry-After", 0)
    # Measured: larger calls gain nothing. A row is hardly cheaper beside 31 others than beside 7, and all wait for all.
    max_combined_texts: int = _setting(
        8, "most texts of different requests that are sent in one call; 1 = requests are never combined", 1
    )
    # Measured on two cores, where the model server runs two batches at once, and the next should be there already.
    max_calls: int = _setting(
        3, "calls to the model server at once; further texts wait and are combined; use its num_batch_threads + 1", 1
    )
    retry_budget: float = _setting(0.1, "retries of lost calls, as a share of all calls; 0 = no retries", 0, 1)
    breaker_failures: int = _setting(5, "number of lost or unanswered calls in a row that opens the circuit breaker", 1)
    breaker_seconds: float = _setting(0.5, "time between probes of the model server while the breaker is open", 0.01)

    keys_file: str = _setting("", "file with the API keys; empty = everybody may call without a key")

    log_format: str = _setting("text", "text, or json for one JSON object a line", choices=("text", "json"))
    log_level: str = _setting("info", "debug, info, warning or error", choices=("debug", "info", "warning", "error"))
    log_texts: bool = _setting(False, "log the utterances too; they may be personal data")

    load_balancer_idle_seconds: float = _setting(
        60.0, "idle time-out of the load balancer in front of the gateway; 0 = there is no load balancer"
    )
    keep_alive_seconds: float = _setting(
        75.0, "how long an idle connection stays open; must be longer than the load balancer's idle time-out", 0.001
    )
    load_balancer_window_seconds: float = _setting(
        10.0,
        "time after SIGTERM in which /readyz says 503 and all is still served, so that the load balancer turns away",
    )
    drain_seconds: float = _setting(10.0, "longest wait after that for requests that are still running")

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(each, getattr(self, each.name))
        grpc_target(self.model_server)
        for contradiction in self._contradictions():
            raise SettingsError(contradiction)

    def _contradictions(self) -> Iterator[str]:
        if self.deadline_seconds > self.max_deadline_seconds:
            yield (
                f"{self._said('deadline_seconds')} is above {self._said('max_deadline_seconds')}, so a request that "
                "asks for nothing would get more than one may ask for; lower the first or raise the second"
            )
        if self.max_deadline_seconds > self.drain_seconds:
            yield (
                f"{self._said('max_deadline_seconds')} is above {self._said('drain_seconds')}, so a stop would cut "
                "requests that are still in time; lower the first or raise the second"
            )
        if self.keep_alive_seconds <= self.load_balancer_idle_seconds:
            yield (
                f"{self._said('keep_alive_seconds')} is not above {self._said('load_balancer_idle_seconds')}, so the "
                "load balancer would send into connections that the gateway has just closed, and answer 502; "
                "raise the first"
            )
        if self.max_text_characters > self.max_body_bytes:
            yield (
                f"{self._said('max_text_characters')} is above {self._said('max_body_bytes')}, so no body could hold "
                "the longest text; lower the first or raise the second"
            )
        pair = ("model_server_certificate_file", "model_server_key_file")
        for one, other in (pair, pair[::-1]):
            if getattr(self, one) and not getattr(self, other):
                yield f"{variable(one)} is set without {variable(other)}; set both for mutual TLS, or none"
        if self.model_server_certificate_file and not self.model_server_ca_file:
            yield (
                f"{variable('model_server_certificate_file')} is set without {variable('model_server_ca_file')}, so "
                "there would be no TLS to use it for; set both, or none"
            )

    def _said(self, name: str) -> str:
        return f"{variable(name)}={getattr(self, name)}"


GROUPS = {
    "host": "Listening",
    "model_server": "Model server",
    "deadline_seconds": "Limits of a request",
    "top_k": "Answers",
    "max_in_flight": "Load",
    "keys_file": "Access",
    "log_format": "Logs",
    "load_balancer_idle_seconds": "Load balancer and stop",
}
"""Headings for people, by the first setting under each."""


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def _check(setting: "Field[Any]", value: Any) -> None:
    name, low, high = variable(setting.name), setting.metadata["low"], setting.metadata["high"]
    choices = setting.metadata["choices"]
    if not isinstance(value, str):
        if not (low <= value <= high and math.isfinite(value)):
            limits = f"at least {low}" if high == float("inf") else f"{low} to {high}"
            raise SettingsError(f"{name}={value} is out of range; use {limits}")
    elif setting.default and not value.strip():
        raise SettingsError(f"{name} is empty; unset it for the default {setting.default!r}")
    elif not value.isprintable():
        raise SettingsError(f"{name} has a character that cannot be printed; remove it")
    elif choices and value not in choices:
        raise SettingsError(f"{name}={value} is none of {', '.join(choices)}")
