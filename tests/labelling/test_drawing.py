"""Draws of images to label: two sets that share no image, by any rule, and the same at every run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.files import write_json
from esl.labelling.contents import Drawn, read_drawn
from esl.labelling.drawing import draw_images
from esl.labelling.draws.base import Evidence, best_of_each_part
from esl.labelling.draws.build import draw_named
from esl.labelling.draws.registry import DRAWS
from esl.labelling.settings import DrawSettings
from tests.contents import whole_manifest


@pytest.fixture
def bare(small_index: Index) -> Index:
    """Images of two sequences, none with a label; the last two ids name one and the same content."""
    samples = [replace(s, label=None, pixels=None, label_sha256=None) for s in small_index.samples]
    copy = replace(samples[-1], id="zurich_000000_000000")
    return replace(small_index, samples=[*samples, copy])


def _settings(**changed: object) -> DrawSettings:
    return DrawSettings.model_validate({"seed": 0, "measure": 2, "train": 2, **changed})


@pytest.mark.parametrize("seed", range(8))
def test_no_image_is_in_both_sets_also_under_another_name(bare: Index, seed: int) -> None:
    drawn = draw_images(Evidence(bare), bare, _settings(seed=seed, measure=3, train=9))
    assert len(drawn.measure) == 3 and len(drawn.train) == 2  # five contents under six names
    contents = [image.sha256 for image in (*drawn.measure.values(), *drawn.train.values())]
    assert len({*contents}) == 5
    assert draw_images(Evidence(bare), bare, _settings(seed=seed, measure=3, train=9)) == drawn


def test_images_for_training_are_the_same_however_many_are_drawn_for_scores(bare: Index) -> None:
    other = replace(
        bare, samples=[replace(s, id=f"val_{n}", image_sha256=f"{n:064d}") for n, s in enumerate(bare.samples)]
    )
    drawn = [draw_images(Evidence(bare), other, _settings(measure=count)).train for count in (1, 4)]
    assert drawn[0] == drawn[1]


def test_an_id_names_one_image_of_both_sets_together(bare: Index) -> None:
    """Labels are named by ids: two splits may have other images under the same ones."""
    other = replace(bare, samples=[replace(s, image_sha256=f"{n:064d}") for n, s in enumerate(bare.samples[:5])])
    drawn = draw_images(Evidence(bare), other, _settings(measure=3, train=9))
    assert len(drawn.measure) == 3 and not {*drawn.measure} & {*drawn.train} and drawn.train


def test_a_validation_set_with_labels_is_scored_on_them_and_not_trained_on(small_index: Index, bare: Index) -> None:
    validation = replace(small_index, samples=small_index.samples[:3])
    drawn = draw_images(Evidence(bare), validation, _settings(train=5))
    assert drawn.measure == {}
    assert sorted(drawn.train) == [sample.id for sample in bare.samples[3:5]]
    with pytest.raises(InputError, match="every image of 'train' is one that scores are measured on"):
        draw_images(Evidence(bare), small_index, _settings())


def _kept(tmp_path: Path, index: Index) -> Path:
    """A manifest by which the later an image, the less of it is kept."""
    files = {sample.id: {"kept": 1 - number / 10} for number, sample in enumerate(index.samples)}
    write_json(tmp_path / "pseudo_labels.json", whole_manifest(files))
    return tmp_path / "pseudo_labels.json"


def test_least_kept_takes_the_least_kept_image_of_each_part(tmp_path: Path, bare: Index) -> None:
    chosen = draw_named("least_kept").choose(
        bare.samples, 2, Evidence(bare, _kept(tmp_path, bare)), np.random.default_rng(0)
    )
    assert [(sample.id, round(score or 0, 6)) for sample, score in chosen] == [
        (bare.samples[5].id, 0.5),
        (bare.samples[2].id, 0.2),
    ]


def test_spread_never_takes_a_copy_before_all_others(bare: Index) -> None:
    chosen = draw_named("spread").choose(bare.samples, 5, Evidence(bare), np.random.default_rng(0))
    assert len({sample.image_sha256 for sample, _ in chosen}) == 5
    distances = [score for _, score in chosen[1:] if score is not None]
    assert distances == sorted(distances, reverse=True) and len(distances) == 4


def test_each_part_of_the_order_of_ids_gives_one_image() -> None:
    samples = [IndexedSample(f"{n:03d}", f"{n}.png", (8, 8), None, None, None, "", None) for n in range(10)]
    chosen = best_of_each_part(samples[::-1], 5, lambda sample: float(int(sample.id) % 2))
    assert sorted(sample.id for sample, _ in chosen) == ["001", "003", "005", "007", "009"]
    assert len(best_of_each_part(samples, 20, lambda sample: 0.0)) == 10
    assert best_of_each_part([], 3, lambda sample: 0.0) == []


def test_an_unknown_rule_is_named_with_the_likely_one() -> None:
    with pytest.raises(InputError, match=r"unknown rule 'randon'.*random"):
        draw_named("randon")
    assert {*DRAWS} == {"random", "least_kept", "expected_error", "spread"}


def test_a_record_of_a_draw_is_read_back_and_refused_with_an_image_in_both_sets(tmp_path: Path, bare: Index) -> None:
    drawn = draw_images(Evidence(bare), bare, _settings())
    write_json(tmp_path / "draw.json", drawn.to_json())
    assert read_drawn(tmp_path / "draw.json") == drawn
    both = Drawn.model_construct(rule="random", seed=0, measure=drawn.measure, train=drawn.measure)
    write_json(tmp_path / "draw.json", both.to_json())
    with pytest.raises(InputError, match=r"draw\.json: not a draw of images to label .*also in measure"):
        read_drawn(tmp_path / "draw.json")
