"""Generates the config's JSON schema and the key tables of the manual from the settings classes.

`make manual` (`python -m planning.manual`) writes both; a test shows the difference when they have drifted.
"""

import difflib
import json
import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from esl.data.config import SourceData, TargetData
from esl.labelling.config import LabellingSettings
from esl.labels.config import InferenceSettings
from esl.labels.gate import GateSettings
from esl.labels.methods.build import settings_class
from esl.labels.methods.registry import METHODS
from esl.models.config import ComputeConfig
from esl.models.registry import NETWORKS
from esl.training.config import RoundSettings, SourceSettings, TrainingConfig
from esl.training.terms.build import term_settings_class
from esl.training.terms.registry import TERMS
from miniature.settings import MiniatureSettings
from planning.benchmark import Benchmark
from planning.config import Config
from planning.digest import PROJECT
from planning.variants import NAME, VariantSettings

SCHEMA = PROJECT / "workflow/schemas/config.schema.yaml"
MANUAL = PROJECT / "config/README.md"

TABLES: Mapping[str, type[BaseModel]] = {
    "miniature": MiniatureSettings,
    "benchmark": Benchmark,
    "source": SourceData,
    "target": TargetData,
    "labelling": LabellingSettings,
    "gate": GateSettings,
    "training": TrainingConfig,
    "training.both": SourceSettings,
    "training.source": SourceSettings,
    "training.round": RoundSettings,
    "inference": InferenceSettings,
    "compute": ComputeConfig,
    "methods": VariantSettings,
    **{f"methods.{name}": settings_class(name) for name in METHODS},
    **{f"training.terms.{name}": term_settings_class(name) for name in TERMS},
}
"""The tables of the manual: each is between `<!-- keys: NAME -->` and `<!-- end -->`."""

_DIFFERENT = ("target_batch", "adaptation")
_BOTH = [key for key in SourceSettings.model_fields if key in RoundSettings.model_fields and key not in _DIFFERENT]
_LEFT_OUT = {"training.both": _DIFFERENT, "training.source": _BOTH, "training.round": _BOTH}
"""Keys that a table leaves to another one: most keys of the source stage and of rounds are the same."""

_TABLE = re.compile(r"(<!-- keys: (?P<name>[\w.]+) -->\n).*?(<!-- end -->)", re.S)


def schema() -> str:
    """The JSON schema of the config, as YAML."""
    content = Config.model_json_schema()
    benchmark = content["$defs"]["Benchmark"]["properties"]
    for networks in (benchmark, content["$defs"]["VariantSettings"]["properties"]):
        _name_networks(networks["network"])
    benchmark["methods"] = _variants(benchmark["methods"])
    training = content["$defs"]["TrainingConfig"]["properties"]
    training["terms"] = _choice(training["terms"], {name: term_settings_class(name) for name in TERMS})
    _refer_to_training(content["$defs"]["VariantSettings"])
    _drop_titles(content)
    head = "# Generated from the settings classes by `make manual`; edits here are overwritten.\n"
    named = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return head + yaml.safe_dump({**named, **content}, sort_keys=False, width=120, allow_unicode=True)


def _drop_titles(schema: Any) -> None:
    """Removes the titles that pydantic derives from the names of keys: they add nothing."""
    if isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        for value in schema.values():
            _drop_titles(value)
    elif isinstance(schema, list):
        for value in schema:
            _drop_titles(value)


def _name_networks(property_: dict[str, Any]) -> None:
    """The networks that a property may name: the registry's, and `smp/DECODER/ENCODER`."""
    known = [{"enum": [*NETWORKS]}, {"type": "string", "pattern": "^smp/[^/]+/[^/]+$"}]
    property_.pop("type", None)
    property_["anyOf"] = [*known, *(choice for choice in property_.get("anyOf", []) if choice == {"type": "null"})]


def _refer_to_training(variant: dict[str, Any]) -> None:
    """A variant overrides keys of the training: the schema refers to them."""
    keys = {key: {"$ref": f"#/$defs/RoundSettings/properties/{key}"} for key in RoundSettings.model_fields}
    round_ = variant["properties"]["round"]
    variant["properties"]["round"] = {**round_, "additionalProperties": False, "properties": keys}
    own_words = variant["properties"]["terms"]["description"]
    variant["properties"]["terms"] = {"$ref": "#/$defs/TrainingConfig/properties/terms", "description": own_words}


def _variants(property_: dict[str, Any]) -> Any:
    """The schema of `methods`: variants called like a method, and others, which name their method."""
    shared = {key: {"$ref": f"#/$defs/VariantSettings/properties/{key}"} for key in VariantSettings.model_fields}
    named = _choice(property_, {name: settings_class(name) for name in METHODS})
    every_key: dict[str, Any] = {}
    for choice in named["properties"].values():
        entry = choice["anyOf"][0]
        every_key |= {key: {"description": "A key of the method."} for key in entry["properties"]}
        entry["properties"] |= {key: value for key, value in shared.items() if key not in entry["properties"]}
    method = {"enum": [*METHODS], "description": "The name of the selection method."}
    other = {
        "type": "object",
        "additionalProperties": False,
        "properties": {**every_key, **shared, "method": method},
        "required": ["method"],
    }
    pattern = rf"^(?!(?:{'|'.join(METHODS)})$){NAME}$"
    return {**named, "patternProperties": {pattern: {"anyOf": [other, {"type": "null"}]}}}


def _choice(property_: dict[str, Any], classes: Mapping[str, type[BaseModel]]) -> Any:
    """The schema of a mapping from names in a registry to the settings of each; null removes an entry."""
    entries = {name: {"anyOf": [cls.model_json_schema(), {"type": "null"}]} for name, cls in classes.items()}
    kept = {key: property_[key] for key in ("description", "default", "title") if key in property_}
    return {**kept, "type": "object", "additionalProperties": False, "properties": entries}


def manual(text: str) -> str:
    """The manual with every table written from its settings class."""
    return _TABLE.sub(
        lambda match: f"{match[1]}{_table(TABLES[match['name']], _LEFT_OUT.get(match['name'], ()))}{match[3]}", text
    )


def _table(cls: type[BaseModel], left_out: Collection[str] = ()) -> str:
    """Keys, meanings and defaults of a settings class, required ones first; groups of keys have tables of their own."""
    rows = ["| key | meaning | default |", "|---|---|---|"]
    for name, field in sorted(cls.model_fields.items(), key=lambda item: not item[1].is_required()):
        if _is_group(field.annotation) or name in left_out:
            continue
        description = field.description or next(
            (item.description for item in field.metadata if getattr(item, "description", None)), ""
        )
        rows.append(f"| `{name}` | {description.replace('|', chr(92) + '|')} | {_default(field)} |")
    return "\n".join(rows) + "\n"


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.default if field.default is not PydanticUndefined else field.default_factory()
    if isinstance(value, str):
        return f"`{value}`"
    return f"`{json.dumps(value, default=list)}`"


def drift() -> dict[Path, tuple[str, str]]:
    """The generated files whose content has drifted: path -> (as it is, as it would be written)."""
    after = {SCHEMA: schema(), MANUAL: manual(MANUAL.read_text(encoding="utf-8"))}
    before = {path: path.read_text(encoding="utf-8") if path.is_file() else "" for path in after}
    return {path: (before[path], after[path]) for path in after if before[path] != after[path]}


def main() -> None:
    """Writes the files that have drifted and shows the differences."""
    for path, (before, after) in drift().items():
        name = path.relative_to(PROJECT).as_posix()
        sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, name, n=1))
        path.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
