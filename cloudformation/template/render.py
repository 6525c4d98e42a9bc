"""What the templates come to with given parameters, without AWS: resources, user data, the image's scripts."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from cloudformation.errors import UsageError
from cloudformation.template.files import TEMPLATES, Template, load
from cloudformation.template.values import Values


def render(parameters: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """File names and contents: `<template>.yaml` with conditions decided and functions worked out, and every script.

    What only AWS knows stays as `${Name}`.

    Args:
        parameters: the values of each template's parameters, by the template's name.
    """
    files = {}
    for kind, given in parameters.items():
        template = load(TEMPLATES[kind])
        values = Values(template, given)
        files[f"{kind}.yaml"] = _text(_resolved(template, values))
        for name, properties in values.resources("AWS::EC2::LaunchTemplate").items():
            files[f"{kind}-{name}-user-data.sh"] = properties["LaunchTemplateData"]["UserData"]
        for name, properties in values.resources("AWS::ImageBuilder::Component").items():
            files.update((f"{kind}-{name}-{step}.sh", script) for step, script in _scripts(properties["Data"]))
    return files


def write(files: Mapping[str, str], folder: Path) -> None:
    """Writes the files, each whole or not at all.

    Raises:
        UsageError: they cannot be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            handle, sibling = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
            with os.fdopen(handle, "w") as file:
                file.write(content)
            Path(sibling).chmod(0o644)
            Path(sibling).replace(folder / name)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}") from None


def _resolved(template: Template, values: Values) -> Template:
    def made(section: str) -> dict[str, Any]:
        return {
            name: {key: values.of(part) for key, part in body.items() if key != "Condition"}
            for name, body in template.get(section, {}).items()
            if values.holds(body.get("Condition"))
        }

    kept = {key: template[key] for key in ("AWSTemplateFormatVersion", "Description")}
    return {**kept, "Resources": made("Resources"), "Outputs": made("Outputs")}


def _scripts(document: str) -> Iterator[tuple[str, str]]:
    for phase in yaml.safe_load(document)["phases"]:
        for step in phase["steps"]:
            if step["action"] == "ExecuteBash":
                # Image Builder runs them so; the commands of one step share a shell.
                yield step["name"].lower(), "#!/bin/bash\n" + "\n".join(step["inputs"]["commands"]) + "\n"


class _Dumper(yaml.SafeDumper):
    """Scripts and policies as they are read, not on one line with escapes."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def _text(template: Template) -> str:
    return yaml.dump(template, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
