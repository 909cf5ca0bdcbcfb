"""Reads a CloudFormation template as plain data: the short forms (`!Ref`, `!Sub`) become their long ones."""

from pathlib import Path
from typing import Any, cast

import yaml


class _Loader(yaml.SafeLoader):
    """A safe loader that knows CloudFormation's tags."""


def _long_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        # The third kind of node there is.
        value = loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)
    if suffix == "Ref":
        return {"Ref": value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {"Condition" if suffix == "Condition" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long_form)


def load_template(path: Path) -> dict[str, Any]:
    """The template as plain data. Raises yaml.YAMLError for a file that is no YAML."""
    return yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - the loader is a SafeLoader


def declared_resources(path: Path) -> dict[str, str]:
    """Logical ids and types of the resources that a template declares, in its order."""
    return {name: resource["Type"] for name, resource in load_template(path)["Resources"].items()}
