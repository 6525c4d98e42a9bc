"""The templates as data: YAML with CloudFormation's short forms."""

from pathlib import Path
from typing import Any

import yaml

KINDS = ("artifacts", "network", "balancer", "image", "service", "observability")
"""The templates, one for each stack, in the order in which they are deployed; destroyed the other way round."""

TEMPLATES = {kind: Path(__file__).parents[1] / "templates" / f"{kind}.yaml" for kind in KINDS}
"""The file of each template."""

Template = dict[str, Any]
"""A template as CloudFormation's JSON form has it."""


class _Loader(yaml.CSafeLoader):
    """Reads `!Ref x` as {"Ref": "x"}, and so on; refuses a key that is named twice."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = _mapping(loader, node)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    keys = [key.value for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key} is there twice", node.start_mark)
    return loader.construct_mapping(node, deep=True)  # type: ignore[return-value]


_Loader.add_multi_constructor("!", _short_form)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load(path: Path) -> Template:
    """Reads one template.

    Raises:
        OSError: the file cannot be read.
        yaml.YAMLError: it is not YAML.
    """
    return parse(path.read_text())


def parse(text: str) -> Template:
    """The template that the text is.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    template: Template = yaml.load(text, _Loader)
    return template
