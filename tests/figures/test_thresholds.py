"""The figure of thresholds: histograms and kept codes against the pixels themselves."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from esl.data.index import Index
from esl.figures.style import DPI, KEPT
from esl.figures.thresholds import BINS, binned, merged_histogram
from esl.labels.fixed_point import CODES
from esl.labels.methods.quantile import kept_codes
from esl.stages.draw_thresholds import main
from tests.figures.conftest import MakeRound


def test_bars_and_kept_codes_are_those_of_all_pixels(small_index: Index, make_round: MakeRound) -> None:
    made = make_round(small_index)
    label = np.stack([maps["label"] for maps in made.maps.values()])
    codes = np.stack([maps["entropy"] for maps in made.maps.values()])
    histogram = merged_histogram(made.shards, "entropy")
    for class_, entry in enumerate(made.thresholds["classes"].values()):
        values = codes[label == class_]
        expected = np.histogram(values, bins=BINS, range=(0, CODES))[0]
        assert binned(histogram[class_]).tolist() == expected.tolist()
        kept = histogram[class_][kept_codes(entry["threshold"], "low")].sum()
        assert kept == (values / 65535 <= entry["threshold"]).sum() == round(entry["kept"] * entry["pixels"])


@pytest.mark.parametrize("method", ["esl", "bdl", "cbst", "sac", "control"])
def test_every_method_has_a_figure_and_the_same_one_twice(
    tmp_path: Path, small_index: Index, make_round: MakeRound, method: str
) -> None:
    made = make_round(small_index, method)
    for name in ("a.png", "b.png"):
        flags = ["--thresholds", str(made.folder / "thresholds.json"), "--output", str(made.folder / name)]
        main([*made.words(index=False), *flags])
    assert (made.folder / "a.png").read_bytes() == (made.folder / "b.png").read_bytes()


def test_bars_stay_inside_their_panels(small_index: Index, make_round: MakeRound) -> None:
    made = make_round(small_index)
    flags = ["--thresholds", str(made.folder / "thresholds.json"), "--output", str(made.folder / "a.png")]
    main([*made.words(index=False), *flags])
    with Image.open(made.folder / "a.png") as image:
        blue = (np.asarray(image.convert("RGB")) == ImageColor.getrgb(KEPT)).all(axis=2)
    below_all_panels = round(0.45 * DPI)
    assert blue.mean() > 0.05 and not blue[-below_all_panels:].any()


def test_a_threshold_that_keeps_nothing_keeps_no_code() -> None:
    assert len(range(CODES)[kept_codes(None, "low")]) == len(range(CODES)[kept_codes(None, "high")]) == 0
