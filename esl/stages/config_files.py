"""Config files that a stage reads by itself; those of the workflow are Snakemake's to read."""

from pathlib import Path
from typing import Any

import yaml

from esl.errors import InputError, one_line

MOST_VALUES = 100_000
"""The most values of a file, every alias followed: a few lines of aliases can stand for billions."""


class _Loader(yaml.SafeLoader):
    """YAML's own loader takes the last of several equal keys without a word."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        keys: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in keys:
                    raise yaml.MarkedYAMLError(problem=f"{key.value!r} occurs twice", problem_mark=key.start_mark)
                keys.add((key.tag, key.value))
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > MOST_VALUES:
            raise yaml.MarkedYAMLError(problem="merges too much", problem_mark=node.start_mark)


def read_yaml(file: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        InputError: the file is missing or is not YAML, a key occurs twice in a mapping, or there are more than
            ``MOST_VALUES`` values.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # a SafeLoader
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:  # no UTF-8, no date, nested without end
        raise InputError(f"{file}: not readable as YAML ({one_line(error)})") from None
    if not isinstance(content, dict):
        raise InputError(f"{file}: expected a mapping, as config/config.yaml is")
    _check_size(file, content)
    return content


def _check_size(file: Path, content: Any) -> None:
    """InputError where aliases make more values than anyone writes, or endless ones by standing within themselves."""
    count, rest = 0, [content]
    while rest:
        value = rest.pop()
        count += 1
        if count > MOST_VALUES:
            raise InputError(f"{file}: holds more than {MOST_VALUES:,} values; write out what its aliases repeat")
        rest.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
