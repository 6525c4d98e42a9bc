"""The gateway's settings: one frozen object, read once from the environment."""

import difflib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from gateway.errors import SettingsError

PREFIX = "GATEWAY_"


def _setting(default: Any, text: str, low: float = 0, high: float = float("inf")) -> Any:
    """A field with its documentation and, for numbers, its smallest and largest legal value."""
    return field(default=default, metadata={"text": text, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is the environment variable `GATEWAY_<NAME>`; its text is what `python -m gateway --help` prints.

    Raises:
        SettingsError: a value is out of range, or two values contradict each other.
    """

    host: str = _setting("0.0.0.0", "address to listen on; the default is every interface")
    port: int = _setting(5000, "TCP port to listen on; 0 picks a free one and logs it", 0, 65535)
    model_server: str = _setting("127.0.0.1:8500", "host:port of the model server's gRPC listener")
    model_name: str = _setting("intent", "the model's name in the model server's configuration")
    deadline_seconds: float = _setting(2.0, "time for one request, shared by all its calls to the model server", 0.001)
    body_seconds: float = _setting(10.0, "time for a client to send its body; a slower one is answered with 408", 0.001)
    # 4096 characters take at most 48 KiB as JSON (12 bytes each, escaped as a surrogate pair).
    max_body_bytes: int = _setting(65536, "longest request body in bytes; a longer one is answered with 413", 1)
    # The model reads the first 128 word pieces, in English about 600 characters.
    max_text_characters: int = _setting(4096, "longest text in characters; a longer one is answered with 413", 1)
    drain_seconds: float = _setting(10.0, "after SIGTERM: longest wait for requests that are still running", 0)

    def __post_init__(self) -> None:
        for each in fields(self):
            value, low, high = getattr(self, each.name), each.metadata["low"], each.metadata["high"]
            if isinstance(value, str):
                if not value.strip():
                    raise SettingsError(f"{_variable(each)} is empty; unset it for the default {each.default!r}")
            elif not low <= value <= high:  # Also refuses NaN.
                limits = f"at least {low}" if high == float("inf") else f"{low} to {high}"
                raise SettingsError(f"{_variable(each)}={value} is out of range; use {limits}")
        host, colon, port = self.model_server.rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
            raise SettingsError(
                f"{PREFIX}MODEL_SERVER={self.model_server} is not host:port; use one like 127.0.0.1:8500"
            )
        if self.drain_seconds < self.deadline_seconds:
            raise SettingsError(
                f"{PREFIX}DRAIN_SECONDS={self.drain_seconds} is below {PREFIX}DEADLINE_SECONDS="
                f"{self.deadline_seconds}, so a stop would cut requests that are still in time; "
                "raise the first or lower the second"
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings that `GATEWAY_*` variables give, defaults for the rest.

        Raises:
            SettingsError: a `GATEWAY_` variable is unknown, or a value is not usable.
        """
        known = {_variable(each): each for each in fields(cls)}
        given = {name: text for name, text in environment.items() if name.startswith(PREFIX)}
        for name in sorted(given.keys() - known.keys()):
            # Without the prefix, which would make every name look like every other.
            near = difflib.get_close_matches(
                name.removeprefix(PREFIX), [each.removeprefix(PREFIX) for each in known], 1
            )
            hint = f"did you mean {PREFIX}{near[0]}?" if near else "python -m gateway --help lists them"
            raise SettingsError(f"{name} is no setting of the gateway; {hint}")
        return cls(**{known[name].name: _parse(known[name], text) for name, text in given.items()})


def describe() -> str:
    """All settings as lines of text: variable, default, meaning."""
    return "\n".join(
        f"  {_variable(each):<28} {each.metadata['text']} (default: {each.default})" for each in fields(Settings)
    )


def _variable(setting: "Field[Any]") -> str:
    return PREFIX + setting.name.upper()


def _parse(setting: "Field[Any]", text: str) -> Any:
    kind: Any = type(setting.default)
    try:
        return kind(text)
    except ValueError:
        noun = "a whole number" if kind is int else "a number"
        raise SettingsError(f"{_variable(setting)}={text} is not {noun}; the default is {setting.default}") from None
