"""Reads config files for stages; Snakemake reads the config of the workflow."""

import json
from pathlib import Path
from typing import Any

import yaml

from esl.errors import InputError, one_line


class _Loader(yaml.SafeLoader):
    """Refuses equal keys in a mapping; YAML's own loader silently takes the last one."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        keys: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in keys:
                    raise yaml.MarkedYAMLError(problem=f"{key.value!r} occurs twice", problem_mark=key.start_mark)
                keys.add((key.tag, key.value))
        return node


def read_yaml(file: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        InputError: the file is missing or is not YAML, a key occurs twice in a mapping, or a value is part of itself
            through an alias.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # a SafeLoader
        json.dumps(content, default=str, skipkeys=True)  # raises if a value is part of itself
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:  # not UTF-8, not a date, too deep
        raise InputError(f"{file}: not readable as YAML ({one_line(error)})") from None
    if not isinstance(content, dict):
        raise InputError(f"{file}: expected a mapping, as config/config.yaml is")
    return content
