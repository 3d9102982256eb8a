"""The renderer of the miniature: a pure function; its labels do not depend on the look."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from esl.classes import IGNORE
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from miniature.objects import MODELS
from miniature.render import DOMAINS, render_street
from miniature.scene import sample_scene

SMALL = {"seed": 0, "width": 128, "height": 64, "shift": 1.0}
EVALUATED = {label.id for label in CITYSCAPES_LABELS if label.train_id != IGNORE}


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_class_is_in_at_least_8_percent_of_images_and_all_ids_are_known(domain: str) -> None:
    labels = [render_street(domain, index=index, **SMALL)[1] for index in range(100)]
    present = np.array([np.bincount(label.ravel(), minlength=256) > 0 for label in labels])
    assert set(np.flatnonzero(present.any(axis=0))) <= {label.id for label in CITYSCAPES_LABELS}
    assert {id_: int(present[:, id_].sum()) for id_ in EVALUATED if present[:, id_].sum() < 8} == {}


def test_the_same_arguments_give_the_same_bytes_in_another_process_and_order() -> None:
    script = (
        "import hashlib; from miniature.render import render_street\n"
        f"scenes = [render_street('target', index=index, **{SMALL!r}) for index in (5, 4, 3)]\n"
        "print(hashlib.sha256(b''.join(p.tobytes() + l.tobytes() for p, l in scenes[::-1])).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    scenes = [render_street("target", index=index, **SMALL) for index in (3, 4, 5)]
    here = hashlib.sha256(b"".join(image.tobytes() + label.tobytes() for image, label in scenes)).hexdigest()
    assert here == there


def test_shift_changes_the_target_image_but_no_label_and_no_source_image() -> None:
    for domain in DOMAINS:
        scenes = [render_street(domain, index=7, **{**SMALL, "shift": shift}) for shift in (0.0, 1.0, 2.0)]
        for image, label in scenes[1:]:
            assert np.array_equal(label, scenes[0][1])
            assert np.array_equal(image, scenes[0][0]) == (domain == "source")


def test_trees_of_varied_streets_are_bare_in_some_images_and_leafy_in_others() -> None:
    models = [
        {thing.model for thing in sample_scene("varied", np.random.default_rng(seed), 128, 64).things}
        for seed in range(40)
    ]
    bare, leafy = (sum(bool(scene & set(MODELS[name])) for scene in models) for name in ("bare tree", "tree"))
    assert min(bare, leafy) >= 8
    assert not any(scene & set(MODELS["bare tree"]) and scene & set(MODELS["tree"]) for scene in models)


def test_a_greater_shift_moves_the_target_further_from_the_source() -> None:
    def mean_image(domain: str, shift: float) -> np.ndarray:
        images = [render_street(domain, index=index, **{**SMALL, "shift": shift})[0] for index in range(12)]
        return np.mean(images, axis=(0, 1, 2))

    source = mean_image("source", 1.0)
    distances = [np.abs(mean_image("target", shift) - source).sum() for shift in (0.0, 0.5, 1.0, 1.5)]
    assert distances == sorted(distances)


def test_seed_index_and_domain_each_change_the_scene() -> None:
    base = render_street("source", index=0, **SMALL)[1]
    assert not np.array_equal(base, render_street("source", index=1, **SMALL)[1])
    assert not np.array_equal(base, render_street("source", index=0, **{**SMALL, "seed": 1})[1])
    assert not np.array_equal(base, render_street("target", index=0, **SMALL)[1])


@pytest.mark.parametrize(("width", "height"), [(64, 32), (65, 33), (100, 200), (401, 97), (512, 256)])
def test_any_size_from_64x32_works(width: int, height: int) -> None:
    for domain in DOMAINS:
        image, label = render_street(domain, seed=3, index=2, width=width, height=height, shift=1.0)
        assert image.shape == (height, width, 3) and image.dtype == np.uint8
        assert label.shape == (height, width) and label.dtype == np.uint8


@pytest.mark.parametrize(
    ("domain", "change", "message"),
    [
        ("moon", {}, "`domain` to be one of source, target"),
        ("source", {"width": 31}, "at least 32 x 32"),
        ("source", {"height": 31}, "at least 32 x 32"),
        ("target", {"shift": -0.1}, ">= 0"),
        ("target", {"shift": float("nan")}, ">= 0"),
        ("target", {"shift": float("inf")}, "finite"),
        ("target", {"seed": -1}, ">= 0"),
    ],
)
def test_a_wrong_setting_is_named(domain: str, change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_street(domain, index=0, **{**SMALL, **change})
