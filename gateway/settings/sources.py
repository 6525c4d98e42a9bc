"""Where the settings come from: command line before environment before file before default."""

import difflib
import json
import re
import shutil
import textwrap
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from gateway.errors import SettingsError
from gateway.settings.settings import GROUPS, PREFIX, Settings, variable

_FIELDS: "dict[str, Field[Any]]" = {each.name: each for each in fields(Settings)}
_NOUNS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
# The other words that tools take in boolean variables; msgspec knows true, false, 1 and 0.
_WORDS = {"yes": True, "on": True, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Sourced:
    """The settings, and for each that is not the default where it came from."""

    settings: Settings
    origins: Mapping[str, str]
    """By the setting's name: the variable, the file or the command line's flag."""

    def as_toml(self) -> str:
        """All settings as TOML, each under its meaning and origin; read back as a file it gives the same settings."""
        return "\n".join(self._toml_lines()) + "\n"

    def _toml_lines(self) -> Iterator[str]:
        yield "# The effective settings. `python -m gateway --config FILE` takes this text as a file."
        for name, setting in _FIELDS.items():
            if name in GROUPS:
                yield f"\n# == {GROUPS[name]} =="
            origin = self.origins.get(name)
            yield f"\n# {setting.metadata['text']}"
            yield f"# from {origin}; the default is {_toml(setting.default)}" if origin else "# the default"
            yield f"{name} = {_toml(getattr(self.settings, name))}"


def read_settings(
    environment: Mapping[str, str], file: Path | None = None, flags: Mapping[str, Any] | None = None
) -> Sourced:
    """The settings of `GATEWAY_*` variables, TOML file and command line; `flags` holds typed values by setting.

    Raises:
        SettingsError: one is unknown, has the wrong type, is out of range, or contradicts another; it is named as its
            source names it.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if file is not None:
        values |= _from_file(file)
        origins |= dict.fromkeys(values, str(file))
    given = _from_environment(environment)
    values |= given | dict(flags or {})
    origins |= {name: variable(name) for name in given} | {name: f"--{name}" for name in flags or {}}
    try:
        return Sourced(Settings(**values), origins)
    except SettingsError as error:
        # It speaks of variables; what came from elsewhere is named as it stands there.
        raise SettingsError(
            re.sub(rf"\b{PREFIX}[A-Z_]+", lambda found: _place(found[0], origins), str(error))
        ) from None


def describe() -> str:
    """All settings as lines for `--help`: variable and default, meaning below."""
    width = min(shutil.get_terminal_size().columns, 100)
    lines = []
    for name, setting in _FIELDS.items():
        if name in GROUPS:
            lines.append(f"\n {GROUPS[name]}")
        lines.append(f"  {variable(name)}={_plain(setting.default)}")
        lines += textwrap.wrap(setting.metadata["text"], width, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for called, text in sorted(environment.items()):
        if not called.startswith(PREFIX):
            continue
        name = called.removeprefix(PREFIX).lower()
        if name not in _FIELDS or called != variable(name):
            raise _unknown(called, name, variable)
        kind, default = type(_FIELDS[name].default), _plain(_FIELDS[name].default)
        word = text.strip().lower()
        if kind is bool and word in _WORDS:
            values[name] = _WORDS[word]
        else:
            values[name] = _converted(text, kind, f"{called}={text}", default, strict=False)
    return values


def _from_file(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}; --config wants a TOML file that can be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not TOML: {error}") from None
    values: dict[str, Any] = {}
    for name, value in content.items():
        if name not in _FIELDS:
            raise _unknown(f"{file}: {name}", name.lower().removeprefix(PREFIX.lower()), str)
        default = _FIELDS[name].default
        values[name] = _converted(value, type(default), f"{file}: {name}", _toml(default), strict=True)
    return values


def _converted(value: Any, kind: type, said: str, default: str, strict: bool) -> Any:
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError:
        raise SettingsError(f"{said} is not {_NOUNS[kind]}; the default is {default}") from None


def _unknown(said: str, name: str, called: Callable[[str], str]) -> SettingsError:
    """`called` gives a setting's name as it stands in the source that has the unknown one."""
    near = difflib.get_close_matches(name, _FIELDS, 1)
    hint = f"did you mean {called(near[0])}?" if near else "python -m gateway --help lists them"
    return SettingsError(f"{said} is no setting of the gateway; {hint}")


def _place(called: str, origins: Mapping[str, str]) -> str:
    """How the source of the setting with this variable calls it."""
    name = called.removeprefix(PREFIX).lower()
    origin = origins.get(name, called)
    return origin if origin in (called, f"--{name}") else f"{origin}: {name}"


def _toml(value: Any) -> str:
    # JSON's strings, numbers, true and false are TOML's too, for text that can be printed.
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> str:
    """As one would write it into an environment variable."""
    return value if isinstance(value, str) else _toml(value)
