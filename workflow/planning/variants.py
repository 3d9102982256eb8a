"""The variants of a benchmark, under `methods`: each is a selection method with a training of its rounds.

A variant may train another network than its teacher, override how rounds are trained, and follow another variant. It
inherits the rest from the benchmark.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, create_model, model_serializer

from esl.errors import suggestion
from esl.labels.methods.base import Method, MethodSettings
from esl.labels.methods.build import build_method, settings_class
from esl.labels.methods.registry import METHODS
from esl.settings import Resize, named_settings, subset, without_nulls

LONGEST_NAME = 100
"""The most letters of a name that becomes part of the names of folders and files, which a file system limits to 255."""

NAME = rf"[a-z0-9_]{{1,{LONGEST_NAME}}}"
"""Pattern of the name of a variant, a part of the names of folders."""


def _or_nothing(value: Any) -> Any:
    return {} if value is None else value


class VariantSettings(MethodSettings):
    """Settings of a variant in addition to its method's own."""

    method: str | None = Field(
        None,
        description="Name of the selection method; required where the variant has a name of its own. null: the "
        "variant's name.",
    )
    after: str | None = Field(
        None,
        description="Name of another variant. Its last round teaches the first round of this one, and replaces the "
        "source model in `initial: source`. null: the start of rounds, see `training.source.adaptation`.",
    )
    network: str | None = Field(
        None, description="Network of these rounds; it may differ from their teacher's. null: the benchmark's."
    )
    pretrained: str | None = Field(
        None,
        description="Published weights of this network, read where `initial` is `pretrained`. null: the benchmark's, "
        "if these rounds train its network.",
    )
    source_size: Resize | None = Field(
        None, description="Size of source images in the training of these rounds. null: `source.size`."
    )
    target_size: Resize | None = Field(
        None,
        description="Size of target images in the training of these rounds, and in the inference and evaluation of "
        "their models. null: `target.size`.",
    )
    round: Annotated[dict[str, Any], BeforeValidator(_or_nothing)] = Field(
        {}, description="Keys of `training.round` that are different in these rounds; null is a value here."
    )
    terms: Annotated[dict[str, dict[str, Any]], BeforeValidator(_or_nothing), BeforeValidator(without_nulls)] = Field(
        {}, description="Keys of `training.terms` that are different in these rounds, by term."
    )

    @model_serializer(mode="wrap")
    def _own_values(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The settings without the keys that the variant leaves to the benchmark."""
        return {key: value for key, value in handler(self).items() if key not in _LEFT_OUT or value not in (None, {})}


_LEFT_OUT = VariantSettings.model_fields.keys() - MethodSettings.model_fields.keys()


@cache
def variant_class(method: str) -> type[VariantSettings]:
    """The class of the variants of a selection method: the keys of every variant, and the method's own."""
    own: Any = settings_class(method)
    return create_model(f"{method}_variant", __base__=(VariantSettings, own), __doc__=own.__doc__)


def method_of(name: str, variant: VariantSettings) -> str:
    """The name of the selection method of the variant ``name``."""
    return variant.method or name


def own_settings(name: str, variant: VariantSettings) -> MethodSettings:
    """The settings of the selection method of the variant ``name``."""
    return subset(variant, settings_class(method_of(name, variant)))


def selection_method(name: str, variant: VariantSettings) -> Method:
    """The selection method of the variant ``name``, with its settings."""
    return build_method(method_of(name, variant), own_settings(name, variant).parameters())


def keeps(name: str, variant: VariantSettings) -> bool:
    """Whether its selection method keeps any pixel; a control keeps none, on purpose."""
    return selection_method(name, variant).measure is not None


def read_variants(entries: Any) -> Any:
    """The variants of a config's `methods`, as objects of their classes.

    Raises:
        ValueError: names every mistake by its key.
    """
    entries = without_nulls(entries)
    if not isinstance(entries, dict):
        return entries
    variants, mistakes = {}, []
    for name, entry in entries.items():
        try:
            variants[name] = entry if isinstance(entry, VariantSettings) else _variant(name, entry)
        except ValueError as error:
            mistakes.append(str(error))
    mistakes = mistakes or [*_mistaken_order(variants)]
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return variants


def _variant(name: str, entry: Any) -> VariantSettings:
    """The settings of one variant; ValueError for mistakes in them."""
    if not re.fullmatch(NAME, name):
        raise ValueError(f"{name!r}: expected a name of at most {LONGEST_NAME} lower-case letters, digits and `_`")
    method = (entry.get("method") if isinstance(entry, dict) else None) or name
    if method not in METHODS:
        named = (
            "" if method != name else f"; a variant with a name of its own names its method, such as {name}.method: esl"
        )
        raise ValueError(f"unknown method {method!r}{suggestion(str(method), METHODS)}{named}")
    if name in METHODS and method != name:
        raise ValueError(f"{name}.method: {name} is a method itself; give the variant that runs {method} another name")
    return named_settings(name, variant_class(method), entry)


def lineage(variants: Mapping[str, VariantSettings], name: str) -> list[str]:
    """A variant and its predecessors, the nearest first; a circle ends where it would begin again."""
    names = [name]
    while (after := variants[names[-1]].after) is not None and after not in names:
        names.append(after)
    return names


def in_order(variants: Mapping[str, VariantSettings]) -> list[str]:
    """The names of all variants, as in the config, but each behind the one that it comes after."""
    return [*dict.fromkeys(earlier for name in variants for earlier in reversed(lineage(variants, name)))]


def _mistaken_order(variants: Mapping[str, VariantSettings]) -> Iterator[str]:
    """Variants that come after an unknown one, or after themselves."""
    for name, variant in variants.items():
        if variant.after is not None and variant.after not in variants:
            yield f"{name}.after: no variant {variant.after!r}{suggestion(variant.after, [*variants])}"
            return
    for name in variants:
        names = lineage(variants, name)
        if variants[names[-1]].after == name:
            circle = " after ".join([*names, name])
            yield f"{name}.after: {circle}: a circle; let one of them come after no other"
            return
