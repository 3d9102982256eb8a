"""CBST: the class of the largest probability relative to its class's threshold (Zou, Yu, Kumar, Wang 2018)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from esl.classes import IGNORE
from esl.labels.fixed_point import TOP
from esl.labels.measures.base import Maps
from esl.labels.measures.max_probability import MaxProbability
from esl.labels.methods.base import Histograms, Method, MethodSettings, Threshold
from esl.labels.methods.quantile import class_threshold
from esl.labels.tiles import best_class, upsampled_tiles
from esl.settings import Number


class CbstSettings(MethodSettings):
    """The class of the largest probability / threshold, where that is at least 1 (Zou et al. 2018)."""

    portion: Number = Field(
        0.2, ge=0, le=1, description="Share of each predicted class that is kept in the first round; published: 0.2."
    )
    portion_step: Number = Field(0.05, ge=0, le=1, description="Growth of the portion per round; published: 0.05.")
    portion_max: Number = Field(0.5, ge=0, le=1, description="The largest portion; published: 0.5.")


class Cbst(Method):
    """The threshold t_c is the (1 - portion) quantile of the maximum probability over the pixels predicted as c.

    A pixel gets the class of the largest p_c / t_c where that ratio is at least 1 (Zou et al. 2018, eq. 6).
    """

    name = "cbst"
    measure = MaxProbability()
    maps = ("label", measure.name, "probability")
    settings_class = CbstSettings
    settings: CbstSettings

    def portion(self, round_: int) -> float:
        """The share of each predicted class that is kept in round 1, 2, ... (Zou et al. 2018, section 5).

        >>> [Cbst(CbstSettings()).portion(n) for n in (1, 2, 3, 7, 8)]
        [0.2, 0.25, 0.3, 0.5, 0.5]
        """
        grown = self.settings.portion + self.settings.portion_step * (round_ - 1)
        return round(min(grown, self.settings.portion_max), 12)

    def thresholds(self, histograms: Histograms, round_: int) -> list[Threshold]:
        """One per class, lower from round to round as the portion grows."""
        quantile = round(1 - self.portion(round_), 12)  # 0.8, not 0.8000000000000002
        return [class_threshold(counts, self.measure.sure, quantile) for counts in histograms[self.measure.name]]

    def label(self, maps: Maps, thresholds: Sequence[float | None]) -> NDArray[np.uint8]:
        """argmax_c p_c / t_c where that is at least 1; a class without a threshold is never chosen.

        The probability of the predicted class is its exact code: float16 is 30 times coarser than a code near 1, where
        the thresholds of confident classes lie. The other classes' probabilities are the stored ones.
        """
        label: NDArray[np.uint8] = maps["label"]
        weights = np.array([0.0 if value is None else 1 / value for value in thresholds], dtype=np.float32)
        cuts = np.array([np.inf if value is None else value for value in thresholds])
        own = (maps[self.measure.name] / TOP / cuts[label]).astype(np.float32)
        chosen = np.empty_like(label)
        weighted = maps["probability"].astype(np.float32) * weights[:, None, None]
        for rows, ratio in upsampled_tiles(weighted, label.shape):
            np.put_along_axis(ratio, label[rows][np.newaxis].astype(np.intp), own[rows][np.newaxis], axis=0)
            best = ratio.max(axis=0)
            chosen[rows] = np.where(best >= 1, best_class(ratio, best), IGNORE)
        return chosen
