"""The contract of a selection method: which target pixels get a pseudo-label. `fda.py` is the example to copy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from esl.labels.measures.base import Maps, Measure
from esl.settings import Settings

Histograms = Mapping[str, NDArray[np.int64]]
"""For each measure (C, 65536): pixels predicted as each class at each code, over the whole target training set."""


class MethodSettings(Settings):
    """A method's settings in the config; those of its own are the fields of a subclass, each with a default."""

    names_classes: ClassVar[bool] = False
    """Whether settings name classes; the method is then made with the names of all classes too."""

    rounds: int = Field(1, ge=1, description="Number of self-training rounds.")

    def unknown_classes(self, classes: Sequence[str]) -> list[str]:
        """A line for each class that the settings name and that is not among ``classes``; each begins with a key."""
        return []

    def parameters(self) -> dict[str, Any]:
        """The method's own settings, all of them, as plain JSON."""
        return self.model_dump(mode="json", exclude={"rounds"})


@dataclass(frozen=True)
class Threshold:
    """The cut of one predicted class. ``value`` is ``None`` where nothing can be kept."""

    pixels: int  # predicted as this class, over the whole dataset
    quantile_value: float | None  # None: no quantile was taken
    value: float | None  # the threshold itself: the quantile value after the bound
    bounded: bool  # whether the bound replaced the quantile value
    kept: int | None  # of the pixels, those on the kept side of the threshold; None: histograms do not tell


class Method(Protocol):
    """A selection method: from histograms to one threshold per class, and from thresholds to pseudo-labels.

    It is made with its settings, an instance of ``settings_class``; where these have ``names_classes = True``, also
    with the names of all classes by trainId, as `fixed.py` is.
    """

    @property
    def name(self) -> str:
        """Its name in the config, in the registry and in the folders of its rounds."""

    @property
    def settings_class(self) -> type[MethodSettings]:
        """The class of its settings."""

    @property
    def settings(self) -> MethodSettings:
        """The settings it was made with."""

    @property
    def measure(self) -> Measure | None:
        """The measure that its thresholds cut; ``None``: it keeps nothing, on purpose."""

    @property
    def maps(self) -> tuple[str, ...]:
        """The maps of a shard that ``label`` reads."""

    def thresholds(self, histograms: Histograms, round_: int) -> list[Threshold]:
        """The threshold of every class in round 1, 2, ...

        ``histograms`` are those of ``entropy`` and of every measure among ``maps``.
        """

    def label(self, maps: Maps, thresholds: Sequence[float | None]) -> NDArray[np.uint8]:
        """The pseudo-label of one image, trainIds or ``IGNORE``: (H, W) uint8.

        ``thresholds`` (C) are the ``Threshold.value`` of every class; ``maps`` are those that the method reads.
        """
