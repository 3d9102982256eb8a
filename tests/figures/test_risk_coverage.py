"""The figure of risk against coverage: its curves and marks against sorted pixels and the manifest."""

from pathlib import Path

import numpy as np
import pytest

from esl.classes import IGNORE
from esl.data.index import Index
from esl.errors import InputError
from esl.evaluation.confidence import ranking_of
from esl.figures.risk_coverage import POINTS, cut_point, read_selection, risk_curve
from esl.labels.measures.build import measure_named
from esl.stages.draw_risk_coverage import main
from tests.figures.conftest import MadeRound, MakeRound


def _pixels(made: MadeRound, index: Index, measure: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predicted class, code and whether right, of every labelled pixel."""
    truth = {sample.id: index.read_label(sample) for sample in index.labelled}
    rows = [
        (maps["label"][known], maps[measure][known], (maps["label"] == truth[id_])[known])
        for id_, maps in made.maps.items()
        for known in [truth[id_] != IGNORE]
    ]
    label, code, right = (np.concatenate(column) for column in zip(*rows, strict=True))
    return label, code, right


@pytest.mark.parametrize("name", ["entropy", "confidence"])
def test_a_curve_goes_through_the_risks_of_sorted_pixels(small_index: Index, make_round: MakeRound, name: str) -> None:
    made, measure = make_round(small_index), measure_named(name)
    label, code, right = _pixels(made, small_index, name)
    ranking = ranking_of(made.shards, small_index, [measure])
    for class_ in (None, 0, 13):
        counts = ranking.counts[name]
        total, correct = counts.sum(axis=1) if class_ is None else counts[:, class_]
        chosen = slice(None) if class_ is None else label == class_
        sign = 1 if measure.sure == "low" else -1
        order = np.argsort(sign * code[chosen].astype(np.int64), kind="stable")
        risk = np.cumsum(~right[chosen][order]) / np.arange(1, len(order) + 1)
        curve = risk_curve(total, correct, measure.sure)
        assert 2 < len(curve.risk) <= POINTS
        places = np.rint(curve.coverage * len(order)).astype(int) - 1
        assert curve.risk == pytest.approx(risk[places])
        assert (curve.coverage[-1], curve.risk[-1]) == (1, pytest.approx(1 - right[chosen].mean()))
        assert (np.diff(curve.coverage) > 0).all()


def test_the_mark_of_a_class_is_what_its_threshold_keeps(small_index: Index, make_round: MakeRound) -> None:
    made = make_round(small_index)
    label, code, right = _pixels(made, small_index, "entropy")
    ranking = ranking_of(made.shards, small_index, [measure_named("entropy")])
    kept_all = right_all = 0
    for class_, entry in enumerate(made.thresholds["classes"].values()):
        kept = (label == class_) & (code / 65535 <= entry["threshold"])
        point = cut_point(*ranking.counts["entropy"][:, class_], entry["threshold"], "low")
        assert point == pytest.approx((kept.sum() / (label == class_).sum(), 1 - right[kept].mean()))
        kept_all, right_all = kept_all + kept.sum(), right_all + right[kept].sum()
    quality = read_selection(made.folder).quality
    assert quality is not None
    assert (quality.coverage, quality.accuracy) == pytest.approx((kept_all / len(label), right_all / kept_all))
    assert cut_point(*ranking.counts["entropy"][:, 0], None, "low") is None


def test_no_pixels_have_an_empty_curve() -> None:
    nothing = np.zeros(65536, dtype=np.int64)
    assert risk_curve(nothing, nothing, "low").risk.size == 0
    assert cut_point(nothing, nothing, 1.0, "low") is None


@pytest.mark.parametrize("method", ["esl", "bdl", "cbst", "sac"])
def test_every_method_has_a_mark_and_the_figure_is_the_same_twice(
    small_index: Index, make_round: MakeRound, method: str
) -> None:
    made = make_round(small_index, method)
    output = made.shards[0].parents[1]
    for name in ("a.png", "b.png"):
        main([*made.words(), "--rounds", str(made.folder / "pseudo_labels.json"), "--output", str(output / name)])
    assert (output / "a.png").read_bytes() == (output / "b.png").read_bytes()
    assert read_selection(made.folder).cuts == (method != "sac")


def test_without_labels_the_figure_says_so(unlabelled_index: Index, make_round: MakeRound, tmp_path: Path) -> None:
    made = make_round(unlabelled_index)
    main([*made.words(), "--rounds", str(made.folder / "pseudo_labels.json"), "--output", str(tmp_path / "a.png")])
    assert (tmp_path / "a.png").stat().st_size < 30_000


def test_shards_that_lack_an_image_are_refused(small_index: Index, make_round: MakeRound, tmp_path: Path) -> None:
    made = make_round(small_index)
    with pytest.raises(InputError, match=r"no maps of 2 labelled samples"):
        main(["--maps", str(made.shards[0]), *made.words()[3:], "--output", str(tmp_path / "a.png")])
    assert not (tmp_path / "a.png").exists()
