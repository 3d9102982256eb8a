"""Networks by name, from the registry."""

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from esl.errors import InputError, Problem, suggestion
from esl.models.notes import EXTRA
from esl.models.registry import NETWORKS, PACKAGES, SMP, SMP_DECODERS, NetworkEntry, of_smp_library

if TYPE_CHECKING:
    from torch import nn


def network_entry(name: str) -> NetworkEntry:
    """The entry of a network.

    Raises:
        InputError: no network has this name; suggests the likely one, or lists all.
    """
    if name.startswith(SMP):
        return _smp_entry(name)
    if name not in NETWORKS:
        raise InputError(
            f"network: unknown network {name!r}{suggestion(name, NETWORKS)}; or {SMP}DECODER/ENCODER of "
            "segmentation-models-pytorch"
        )
    return NETWORKS[name]


def _smp_entry(name: str) -> NetworkEntry:
    """The entry of ``smp/{decoder}/{encoder}``; its ``checker`` finds out whether the encoder exists.

    Raises:
        InputError: there is no such decoder.
    """
    decoder, _, encoder = name.removeprefix(SMP).partition("/")
    if decoder not in SMP_DECODERS or not encoder:
        raise InputError(
            f"network: unknown network {name!r}: expected {SMP}DECODER/ENCODER with the decoder one of "
            f"{', '.join(SMP_DECODERS)}, such as {SMP}fpn/resnet50 or {SMP}dpt/tu-vit_small_patch14_dinov2"
        )
    return of_smp_library(
        {"decoder": decoder, "encoder": encoder},
        SMP_DECODERS[decoder],
        package=PACKAGES.get(encoder),
        checker="esl.models.networks.smp:check",
    )


@cache
def network_problem(name: str) -> Problem | None:
    """The reason why no network called ``name`` can be built; ``None`` if one can.

    Building a network of smp takes seconds; the others are only looked up.
    """
    try:
        entry = network_entry(name)
        if entry.needs is not None and find_spec(entry.needs) is None:
            return Problem(("network",), f"{name} needs the Python package {entry.needs}: {EXTRA}")
        if entry.checker is not None:
            resolve_name(entry.checker)(**entry.arguments)
    except InputError as error:
        return Problem(("network",), str(error).removeprefix("network: "))
    return None


def build_network(name: str, num_classes: int) -> "nn.Module":
    """A freshly initialised network (the global torch seed decides the weights); InputError as ``network_entry``."""
    entry = network_entry(name)
    return resolve_name(entry.factory)(num_classes=num_classes, **entry.arguments)  # type: ignore[no-any-return]


def network_modules(name: str, *, pretrained: bool = False) -> tuple[str, ...]:
    """The modules of a network: roots of the code digest of the stages that run it.

    With ``pretrained``, the module that loads published weights is one of them.
    """
    return tuple(reference.partition(":")[0] for reference in _references(network_entry(name), pretrained))


def _references(entry: NetworkEntry, pretrained: bool) -> Iterator[str]:
    yield entry.factory
    if pretrained and entry.loader is not None:
        yield entry.loader
