"""Fixed thresholds: the settings name the cuts, regardless of the data; the viewer writes such settings."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, WithJsonSchema

from esl.errors import InputError, Problem, suggestion
from esl.labels.measures.base import Maps, Measure
from esl.labels.measures.build import measure_named
from esl.labels.measures.registry import MEASURES
from esl.labels.methods.base import Histograms, Method, MethodSettings, Threshold
from esl.labels.methods.quantile import cut, kept_codes
from esl.settings import Number

Cut = Annotated[Number, Field(ge=0, le=1), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
"""A threshold in [0, 1]."""


def _known(measure: str) -> str:
    if measure not in MEASURES:
        raise ValueError(f"expected one of {', '.join(MEASURES)}")
    return measure


class FixedSettings(MethodSettings):
    """One threshold for all classes, and others for single classes; the viewer shows what they keep."""

    measure: Annotated[str, AfterValidator(_known)] = Field(
        "entropy",
        description="The measure to cut: `entropy` keeps pixels at or below the threshold; `confidence` and `margin`, "
        "at or above it.",
    )
    threshold: Cut | None = Field(
        0.1, description="Threshold of every class outside `classes`. null: nothing of them is kept."
    )
    classes: dict[str, Cut | None] = Field(
        {}, description="Thresholds of single classes, by name. null: nothing of the class is kept."
    )

    def unknown_classes(self, classes: Sequence[str]) -> list[Problem]:
        """A problem for each class that the settings name and that is not among ``classes``.

        >>> [str(problem) for problem in FixedSettings(classes={"rod": 0.2}).unknown_classes(["road", "car"])]
        ["classes: unknown class 'rod'; did you mean 'road'?"]
        """
        unknown = [name for name in self.classes if name not in classes]
        return [Problem(("classes",), f"unknown class {name!r}{suggestion(name, classes)}") for name in unknown]


class Fixed(Method):
    """Keeps a pixel where the measure is on the confident side of its predicted class's threshold."""

    name = "fixed"
    settings_class = FixedSettings
    settings: FixedSettings

    def __init__(self, settings: FixedSettings, classes: Sequence[str] = ()) -> None:
        """Without ``classes``, the names of all classes by trainId, it can label but takes no thresholds.

        Raises:
            InputError: the settings name a class that is not among ``classes``.
        """
        super().__init__(settings, classes)
        if classes and (problems := settings.unknown_classes(classes)):
            raise InputError("\n".join(f"methods.fixed.{problem}" for problem in problems))

    @property
    def measure(self) -> Measure:
        """The measure that the settings name."""
        return measure_named(self.settings.measure)

    def thresholds(self, histograms: Histograms, round_: int) -> list[Threshold]:
        """The thresholds of the settings, the same in every round; none where a class is never predicted."""
        return [self._threshold(class_, counts) for class_, counts in enumerate(histograms[self.settings.measure])]

    def _threshold(self, class_: int, counts: NDArray[np.int64]) -> Threshold:
        value = self.settings.threshold
        if self.settings.classes:
            value = self.settings.classes.get(self.classes[class_], value)
        pixels = int(counts.sum())
        if value is None or not pixels:
            return Threshold(pixels=pixels)
        return Threshold(pixels=pixels, value=value, kept=int(counts[kept_codes(value, self.measure.sure)].sum()))

    def label(self, maps: Maps, thresholds: Sequence[float | None]) -> NDArray[np.uint8]:
        """The predicted class where the threshold keeps it."""
        return cut(maps["label"], maps[self.settings.measure], thresholds, self.measure.sure)
