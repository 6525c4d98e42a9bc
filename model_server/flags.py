"""The syntax of the command line: TensorFlow's own flag parser, rule by rule.

Only `--name=value` (a boolean may stand alone); a later flag wins; unknown arguments are collected, not refused.
"""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from model_server.errors import FlagError
from model_server.options import Effect, Options

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
