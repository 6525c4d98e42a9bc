"""Finds the versions of a model under its base path, and which of them its policy wants (aspires)."""

import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path

from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

_log = logging.getLogger(__name__)

# A name that the stock server's number parser takes for an int64: blanks around, a sign and leading zeros are fine.
_NUMBER = re.compile(r"\s*([+-]?[0-9]+)\s*", re.ASCII)
_INT64 = range(-(2**63), 2**63)

Aspired = Mapping[int, Path]


class BasePathError(Exception):
    """A base path cannot be listed; worded as in the stock server's log."""


def aspired(model: ModelConfig) -> Aspired:
    """The versions that this model's policy wants, with their directories (or whatever bears such a name).

    Raises:
        BasePathError: there is no such directory.
    """
    base_path = model.base_path.removeprefix("file://")
    names = _children(base_path, model.name)
    found = _by_number(names, base_path)
    policy = model.model_version_policy
    choice = policy.WhichOneof("policy_choice")
    if choice == "specific":
        # The plain name of a version goes before other spellings of it.
        chosen = {
            version: str(version) if str(version) in names else found[version]
            for version in policy.specific.versions
            if version in found
        }
        for version in sorted(set(policy.specific.versions) - set(found)):
            _log.warning(
                "Version %d of servable %s is listed in its version policy but is not on disk", version, model.name
            )
    elif choice == "all":
        chosen = found
    else:
        count = policy.latest.num_versions or 1
        chosen = {version: found[version] for version in sorted(found)[-count:]}
    if not chosen:
        _log.warning(
            "No versions of servable %s found under base path %s. "
            "Did you forget to name your leaf directory as a number (eg. '/1/')?",
            model.name,
            base_path,
        )
    return {version: Path(base_path, name) for version, name in chosen.items()}


def _children(path: str, model_name: str) -> list[str]:
    if not os.path.exists(path):  # noqa: PTH110 - pathlib would tidy the path, and the message quotes it as configured
        raise BasePathError(
            f"Could not find base path {path} for servable {model_name} with error NOT_FOUND: {path} not found"
        )
    try:
        return sorted(os.listdir(path))  # noqa: PTH208 - names are all that counts, and they are compared as text
    except OSError as error:
        raise BasePathError(f"{path}; {error.strerror}") from error


def _by_number(names: list[str], base_path: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for name in names:
        if (match := _NUMBER.fullmatch(name)) and (number := int(match[1])) in _INT64:
            if number in found:
                _log.warning(
                    "Version %d under %s has several names: %r is used, not %r", number, base_path, name, found[number]
                )
            found[number] = name
    return found
