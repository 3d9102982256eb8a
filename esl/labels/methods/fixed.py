"""Fixed thresholds: the cuts that the settings name, whatever the data; the viewer writes such settings."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, WithJsonSchema

from esl.errors import InputError, message, suggestion
from esl.labels.measures.base import Maps, Measure
from esl.labels.measures.registry import MEASURES, measure_named
from esl.labels.methods.base import Histograms, MethodSettings, Threshold
from esl.labels.methods.quantile import cut, limit_code
from esl.settings import Number

Cut = Annotated[Number, Field(ge=0, le=1), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
"""A threshold in [0, 1]."""


def _known(measure: str) -> str:
    if measure not in MEASURES:
        raise ValueError(f"expected one of {', '.join(MEASURES)}")
    return measure


class FixedSettings(MethodSettings):
    """One threshold for all classes, and others for single classes; the viewer shows what they keep."""

    names_classes: ClassVar[bool] = True

    measure: Annotated[str, AfterValidator(_known)] = Field(
        "entropy",
        description="The measure that is cut: `entropy`, at or below the threshold a pixel is kept; `confidence` or "
        "`margin`, at or above it.",
    )
    threshold: Cut | None = Field(
        0.1, description="Threshold of every class that `classes` does not name. null: nothing of them is kept."
    )
    classes: dict[str, Cut | None] = Field(
        {}, description="Thresholds of single classes, by name. null: nothing of the class is kept."
    )

    def unknown_classes(self, classes: Sequence[str]) -> list[str]:
        """A line for each class that the settings name and that is not among ``classes``.

        >>> FixedSettings(classes={"rod": 0.2}).unknown_classes(["road", "car"])
        ["classes: unknown class 'rod'; did you mean 'road'?"]
        """
        unknown = [name for name in self.classes if name not in classes]
        return [message(f"classes: unknown class {name!r}{suggestion(name, classes)}") for name in unknown]


class Fixed:
    """Keeps a pixel where the measure is on the sure side of its predicted class's threshold."""

    name = "fixed"
    settings_class = FixedSettings

    def __init__(self, settings: FixedSettings, classes: Sequence[str] = ()) -> None:
        """``classes`` are the names of all classes by trainId; without them it can label, but takes no thresholds.

        Raises:
            InputError: the settings name a class that is not among ``classes``.
        """
        if classes and (mistakes := settings.unknown_classes(classes)):
            raise InputError("\n".join(f"methods.fixed.{mistake}" for mistake in mistakes))
        self.settings, self.classes = settings, tuple(classes)

    @property
    def measure(self) -> Measure:
        """The one that the settings name."""
        return measure_named(self.settings.measure)

    @property
    def maps(self) -> tuple[str, ...]:
        """The prediction and the measure."""
        return "label", self.settings.measure

    def thresholds(self, histograms: Histograms, round_: int) -> list[Threshold]:
        """Those of the settings, the same in every round; none where a class is never predicted."""
        return [self._threshold(class_, counts) for class_, counts in enumerate(histograms[self.settings.measure])]

    def _threshold(self, class_: int, counts: NDArray[np.int64]) -> Threshold:
        value = self.settings.threshold
        if self.settings.classes:
            value = self.settings.classes.get(self.classes[class_], value)
        if value is None or not counts.any():
            return Threshold(int(counts.sum()), None, None, False, 0)
        sure = self.measure.sure
        limit = limit_code(value, sure)
        kept = counts[: limit + 1] if sure == "low" else counts[limit:]
        return Threshold(int(counts.sum()), None, value, False, int(kept.sum()))

    def label(self, maps: Maps, thresholds: Sequence[float | None]) -> NDArray[np.uint8]:
        """The predicted class where the threshold keeps it."""
        return cut(maps["label"], maps[self.settings.measure], thresholds, self.measure.sure)
