"""SAC against the published rule, image by image and class by class."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.labels.fixed_point import CODES, TOP, count_codes
from esl.labels.methods.base import Threshold
from esl.labels.methods.sac import Sac, SacSettings


def _images() -> list[dict[str, NDArray[Any]]]:
    """Three images of five classes: class 3 is rare and unsure, class 4 is nowhere; the second image is less sure."""
    rng = np.random.default_rng(0)
    images = []
    for sureness in (1.0, 0.6, 0.9):
        label = rng.choice(4, (40, 60), p=[0.6, 0.3, 0.099, 0.001]).astype(np.uint8)
        value = sureness * (0.25 + 0.75 * rng.random((40, 60))) / (1 + label / 4)
        images.append({"label": label, "confidence": np.uint16(TOP * value)})
    return images


def _thresholds(method: Sac, images: list[dict[str, NDArray[Any]]]) -> list[Threshold]:
    histogram = np.zeros((5, CODES), dtype=np.int64)
    for image in images:
        count_codes(histogram, image["label"], image["confidence"])
    return method.thresholds({"confidence": histogram}, 1)


@pytest.mark.parametrize("settings", [SacSettings(), SacSettings(zeta=0.9, beta=0.1, floor=0.0)])
def test_a_pixel_is_kept_above_the_threshold_of_its_class_and_image(settings: SacSettings) -> None:
    """theta_cn = zeta (1 - exp(-chi_c / beta)) m_cn, at least the floor (Araslanov & Roth 2021, and their code)."""
    images, method = _images(), Sac(settings)
    thresholds = _thresholds(method, images)
    everything = np.stack([image["label"] for image in images])
    shares = set()
    for image in images:
        expected = np.full((40, 60), IGNORE, dtype=np.uint8)
        for class_ in range(4):
            own = image["label"] == class_
            probability = image["confidence"] / TOP
            if own.any():
                prior = np.mean(everything == class_)
                theta = settings.zeta * (1 - np.exp(-prior / settings.beta)) * probability[own].max()
                expected[own & (probability > max(theta, settings.floor))] = class_
        mask = method.label(image, [threshold.value for threshold in thresholds])
        assert np.array_equal(mask, expected)
        shares.add(np.mean(mask != IGNORE))
    assert len(shares) == 3 and min(shares) > 0 and max(shares) < 1


def test_thresholds_hold_factors_and_do_not_pretend_to_know_what_is_kept() -> None:
    thresholds = _thresholds(Sac(SacSettings()), _images())
    assert [threshold.kept for threshold in thresholds] == [None, None, None, None, 0]
    assert [threshold.quantile_value for threshold in thresholds] == [None] * 5
    factors = [threshold.value for threshold in thresholds]
    assert factors[0] == pytest.approx(0.75) and factors[4] is None
    assert factors[3] is not None and factors[3] < 0.6  # a class with a share of about beta


def test_an_image_in_which_nothing_is_above_the_floor_keeps_nothing() -> None:
    image = {"label": np.zeros((2, 2), np.uint8), "confidence": np.full((2, 2), round(0.2 * TOP), np.uint16)}
    assert (Sac(SacSettings()).label(image, [0.75]) == IGNORE).all()
    assert (Sac(SacSettings(floor=0.19)).label(image, [0.75]) == 0).all()
