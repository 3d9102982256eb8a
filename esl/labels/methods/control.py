"""The control: the same training without any pseudo-label, so that more training is not mistaken for adaptation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.labels.measures.base import Maps
from esl.labels.methods.base import Histograms, Method, MethodSettings, Threshold


class ControlSettings(MethodSettings):
    """Keeps nothing: the same training without pseudo-labels."""


class Control(Method):
    """Keeps nothing."""

    name = "control"
    measure = None
    settings_class = ControlSettings
    settings: ControlSettings

    def thresholds(self, histograms: Histograms, round_: int) -> list[Threshold]:
        """No class has a threshold."""
        return [Threshold(pixels=int(counts.sum())) for counts in histograms["entropy"]]

    def label(self, maps: Maps, thresholds: Sequence[float | None]) -> NDArray[np.uint8]:
        """``IGNORE`` everywhere."""
        return np.full_like(maps["label"], IGNORE)
