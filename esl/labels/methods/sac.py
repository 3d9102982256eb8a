"""SAC: thresholds per class and image (Araslanov & Roth 2021, Self-supervised Augmentation Consistency)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from esl.classes import IGNORE
from esl.labels.fixed_point import TOP
from esl.labels.measures.base import Maps
from esl.labels.measures.max_probability import MaxProbability
from esl.labels.methods.base import Histograms, Method, MethodSettings, Threshold
from esl.settings import Number


class SacSettings(MethodSettings):
    """Maximum probability above a share of the largest one of the class in the image (Araslanov & Roth 2021)."""

    zeta: Number = Field(
        0.75,
        ge=0,
        le=1,
        description="Share of the largest probability that a frequent class must exceed; published: 0.75.",
    )
    beta: Number = Field(
        0.001,
        gt=0,
        description="Share of all pixels below which a class gets a much lower threshold; published: 0.001.",
    )
    floor: Number = Field(
        0.2, ge=0, le=1, description="The smallest threshold, of any class in any image; 0.2 in the published code."
    )


class Sac(Method):
    """Keeps a pixel where its maximum probability is above max(zeta (1 - exp(-chi_c / beta)) m_cn, floor).

    m_cn is the largest maximum probability among the pixels of image n predicted as class c, and chi_c the class's
    share of all pixels: published as a running mean of the network's probabilities, here the predictions over the whole
    target training set. The ``value`` of a class's threshold is the factor of m_cn: it cuts no histogram, and the
    number of kept pixels is unknown until images are labelled.
    """

    name = "sac"
    measure = MaxProbability()
    settings_class = SacSettings
    settings: SacSettings

    def thresholds(self, histograms: Histograms, round_: int) -> list[Threshold]:
        """One factor per class, the same in every round; lower for rare classes."""
        pixels = histograms[self.measure.name].sum(axis=1)
        return [
            Threshold(pixels=int(count), value=self._factor(count / pixels.sum()), kept=None)
            if count
            else Threshold(pixels=0)
            for count in pixels
        ]

    def _factor(self, prior: float) -> float:
        """The factor of a class that has the share ``prior`` of all pixels.

        >>> [round(Sac(SacSettings())._factor(prior), 3) for prior in (0.3, 0.001, 0.0001)]
        [0.75, 0.474, 0.071]
        """
        return float(-self.settings.zeta * np.expm1(-prior / self.settings.beta))

    def label(self, maps: Maps, thresholds: Sequence[float | None]) -> NDArray[np.uint8]:
        """The predicted class where its probability is above the threshold of the class in this image."""
        label, codes = maps["label"], maps[self.measure.name]
        largest = np.zeros(len(thresholds), dtype=np.uint16)
        np.maximum.at(largest, label.ravel(), codes.ravel())
        factors = np.array([np.inf if value is None else value for value in thresholds])
        cuts = np.full(len(thresholds), np.inf)
        seen = largest > 0
        cuts[seen] = np.maximum(factors[seen] * largest[seen], self.settings.floor * TOP)
        kept: NDArray[np.uint8] = np.where(codes > cuts[label], label, np.uint8(IGNORE))
        return kept
