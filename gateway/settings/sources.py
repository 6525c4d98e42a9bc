"""Where the settings come from: command line before environment before file before default."""

import difflib
import json
import re
import shutil
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

from gateway.errors import SettingsError
from gateway.settings.settings import GROUPS, PREFIX, Settings, variable

_FIELDS: "dict[str, Field[Any]]" = {each.name: each for each in fields(Settings)}
_NOUNS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
# The words of every other tool's boolean variables.
_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


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
    variables = {variable(name): setting for name, setting in _FIELDS.items()}
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX)}
    for name in sorted(given.keys() - variables.keys()):
        near = _near(name.removeprefix(PREFIX).lower())
        hint = f"did you mean {variable(near)}?" if near else "python -m gateway --help lists them"
        raise SettingsError(f"{name} is no setting of the gateway; {hint}")
    return {variables[name].name: _parse(variables[name], text) for name, text in given.items()}


def _parse(setting: "Field[Any]", text: str) -> Any:
    kind: Any = type(setting.default)
    try:
        return _BOOLEANS[text.strip().lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        default = _plain(setting.default)
        raise SettingsError(
            f"{variable(setting.name)}={text} is not {_NOUNS[kind]}; the default is {default}"
        ) from None


def _from_file(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}; --config wants a TOML file that can be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not TOML: {error}") from None
    return {name: _typed(file, name, value) for name, value in content.items()}


def _typed(file: Path, name: str, value: Any) -> Any:
    if name not in _FIELDS:
        near = _near(name.lower().removeprefix(PREFIX.lower()))
        hint = f"did you mean {near}?" if near else "python -m gateway --help lists them"
        raise SettingsError(f"{file}: {name} is no setting of the gateway; {hint}")
    kind = type(_FIELDS[name].default)
    # A whole number is a number too; true, which is an int in Python, is none.
    if type(value) is kind or (kind is float and type(value) is int):
        return kind(value)
    raise SettingsError(f"{file}: {name} is not {_NOUNS[kind]}; the default is {_toml(_FIELDS[name].default)}")


def _place(called: str, origins: Mapping[str, str]) -> str:
    """How the source of the setting with this variable calls it."""
    name = called.removeprefix(PREFIX).lower()
    origin = origins.get(name, called)
    return origin if origin in (called, f"--{name}") else f"{origin}: {name}"


def _near(name: str) -> str | None:
    return next(iter(difflib.get_close_matches(name, _FIELDS, 1)), None)


def _toml(value: Any) -> str:
    # JSON's strings, numbers, true and false are TOML's too, for text that can be printed.
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> str:
    """As one would write it into an environment variable."""
    return value if isinstance(value, str) else _toml(value)
