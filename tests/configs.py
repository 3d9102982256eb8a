"""Configs of tests: the shipped one, and changes laid over it as Snakemake does."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

PROJECT = Path(__file__).parents[1]

ROOTS = {
    "gta2city": ("gta5", "cityscapes"),
    "synthia2city": ("synthia", "cityscapes"),
    "gta2vistas": ("gta5", "mapillary"),
    "synthia2vistas": ("synthia", "mapillary"),
    "city2acdc": ("cityscapes", "acdc"),
    "city2dark": ("cityscapes", "dark_zurich"),
}
"""The folders below `data/` that the full-scale overlays expect: source and target."""

Content = dict[str, Any]

SMALL: Content = {
    "benchmarks": {
        "gta2city": {
            "network": "small",
            "pretrained": None,
            "methods": {"control": {"rounds": 1}, "bdl": {"rounds": 1}, "esl": {"rounds": 1}},
            "training": {"source": {"adaptation": "abn"}, "round": {"iterations": 155, "initial": "source"}},
            "compute": {"precision": "auto"},
        }
    }
}
"""What most tests lay over the shipped config: a network that is quick to build, and three methods of one round."""


def shipped(name: str = "config") -> Content:
    """The content of a config file of the project."""
    content: Content = yaml.safe_load((PROJECT / f"config/{name}.yaml").read_text(encoding="utf-8"))
    return content


def merged(base: Content, *changes: Content) -> Content:
    """``base`` with changes laid over it; ``base`` stays as it is."""
    result = deepcopy(base)
    for change in changes:
        update_config(result, deepcopy(change))
    return result
