"""The rounds that a viewer shows: their cuts, and the positions of a slider that make the same cuts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl.classes import ClassSet
from esl.errors import InputError
from esl.labels.manifest import PseudoLabels, read_manifest
from esl.labels.shard import Origin
from esl.labels.thresholds import Thresholds, read_thresholds
from esl.viewer.levels import Scale


@dataclass(frozen=True)
class Selection:
    """A round: the content of its two files, and the folder of its pseudo-labels."""

    name: str
    thresholds: Thresholds
    manifest: PseudoLabels
    folder: Path

    @property
    def measure(self) -> str | None:
        """The measure that its thresholds cut; ``None``: it keeps nothing."""
        return self.thresholds.measure

    @property
    def values(self) -> list[float | None]:
        """The threshold of every class."""
        return self.thresholds.values

    def positions(self, scales: Mapping[str, Scale], histograms: Mapping[str, NDArray[np.int64]]) -> list[int] | None:
        """The position of every class that keeps what the round keeps; ``None`` where no slider does.

        A rule that is more than a threshold of one measure, such as `cbst`, keeps other pixels than its thresholds
        alone would: then the pixels of the classes differ from those of the histograms (C, 65536).
        """
        if self.measure is None:
            return [-1] * len(self.values)
        if self.measure not in scales:
            return None
        scale = scales[self.measure]
        places = [scale.position(value) for value in self.values]
        known = [place for place in places if place is not None]
        if len(known) < len(places):
            return None
        kept = np.cumsum(scale.binned(histograms[self.measure]), axis=1)
        cut = [int(row[place]) if place >= 0 else 0 for row, place in zip(kept, known, strict=True)]
        return known if cut == [*self.manifest.kept_pixels.values()] else None


def read_selection(manifest: Path, class_set: ClassSet, thresholds: Path | None = None) -> Selection:
    """The round of ``manifest`` (pseudo_labels.json); thresholds.json is next to it unless named.

    Raises:
        InputError: a file is missing, or its classes are others than those of ``class_set``.
    """
    path = thresholds or manifest.parent / "thresholds.json"
    cuts, labels = read_thresholds(path), read_manifest(manifest)
    if tuple(cuts.classes) != class_set.classes:
        raise InputError(f"{path}: its classes are not those of the class set {class_set.name}; run the workflow again")
    return Selection(manifest.parent.name, cuts, labels, manifest.with_suffix(""))


def thresholds_of(selections: Sequence[Selection], measure: str, origin: Origin) -> list[float | None]:
    """The thresholds of ``measure`` of all rounds that were made from the maps of ``origin``, in their order."""
    return [
        value
        for selection in selections
        if selection.measure == measure and origin.taught(selection.thresholds)
        for value in selection.values
    ]
