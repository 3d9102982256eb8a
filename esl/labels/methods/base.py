"""The contract of a selection method: which target pixels get a pseudo-label.

`fda.py` is the example to copy; `docs/extending.md` adds a method without a quantile.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from esl.errors import Problem
from esl.labels.measures.base import Maps, Measure
from esl.settings import Settings

Histograms = Mapping[str, NDArray[np.int64]]
"""For each measure (C, 65536): pixels predicted as each class at each code, over the whole target training set."""


class MethodSettings(Settings):
    """A method's settings in the config; those of its own are the fields of a subclass, each with a default."""

    rounds: int = Field(1, ge=1, description="Number of self-training rounds.")

    def unknown_classes(self, classes: Sequence[str]) -> list[Problem]:
        """A problem for each class that the settings name and that is not among ``classes``."""
        return []

    def parameters(self) -> dict[str, Any]:
        """The method's own settings, all of them, as plain JSON."""
        return self.model_dump(mode="json", exclude={"rounds"})


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The cut of one predicted class; by default nothing of it is kept."""

    pixels: int
    """Predicted as this class, over the whole dataset."""
    quantile_value: float | None = None
    """``None``: no quantile was taken."""
    value: float | None = None
    """The threshold itself: the quantile value after the bound; ``None``: nothing can be kept."""
    bounded: bool = False
    """Whether the bound replaced the quantile value."""
    kept: int | None = 0
    """Pixels on the kept side of the threshold; ``None``: histograms do not tell."""


class Method(ABC):
    """A selection method: from histograms to one threshold per class, and from thresholds to pseudo-labels."""

    name: ClassVar[str]
    """Its name in the config, in the registry and in the folders of its rounds."""

    settings_class: ClassVar[type[MethodSettings]]
    """The class of its settings."""

    settings: MethodSettings
    """The settings that it was made with, of its ``settings_class``."""

    def __init__(self, settings: MethodSettings, classes: Sequence[str] = ()) -> None:
        """``classes`` are the names of all classes by trainId, for a method whose settings name some."""
        self.settings, self.classes = settings, tuple(classes)

    @property
    @abstractmethod
    def measure(self) -> Measure | None:
        """The measure that its thresholds cut; ``None``: it keeps nothing, on purpose."""

    @property
    def maps(self) -> tuple[str, ...]:
        """The maps of a shard that ``label`` reads."""
        return ("label",) if self.measure is None else ("label", self.measure.name)

    @abstractmethod
    def thresholds(self, histograms: Histograms, round_: int) -> list[Threshold]:
        """The threshold of every class in round 1, 2, ...

        ``histograms`` are those of ``entropy`` and of every measure among ``maps``.
        """

    @abstractmethod
    def label(self, maps: Maps, thresholds: Sequence[float | None]) -> NDArray[np.uint8]:
        """The pseudo-label of one image, trainIds or ``IGNORE``: (H, W) uint8.

        ``thresholds`` (C) are the ``Threshold.value`` of every class; ``maps`` are the ones that the method reads.
        """
