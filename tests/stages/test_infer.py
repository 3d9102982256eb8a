"""The inference stage: its shards share out the samples, and what they hold does not depend on how many there are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.errors import InputError
from esl.files import read_json, sha256_of_file, write_json
from esl.labels.confidence import INTERPOLATION
from esl.labels.fixed_point import CODES
from esl.labels.settings import InferSettings
from esl.labels.shard import Origin, open_shard, same_origin
from esl.models.build import build_network
from esl.models.checkpoint import Description, save_checkpoint
from esl.stages import pseudo_label, threshold
from esl.stages.infer import main

MEASURES = ("entropy", "confidence")
STORED = (*MEASURES, "probability")
CPU = {"accelerator": "cpu", "precision": "32-true"}


@pytest.fixture
def run(tmp_path: Path, small_index: Index) -> Callable[..., Path]:
    torch.manual_seed(0)
    checkpoint, index = tmp_path / "checkpoint.pt", tmp_path / "index.json"
    save_checkpoint(
        checkpoint,
        build_network("small", 19).state_dict(),
        Description.of("small", CLASS_SETS["cityscapes19"], {}, {}),
    )
    write_json(index, small_index.to_json())

    def run(shard: str, **settings: Any) -> Path:
        output = tmp_path / "maps" / f"{shard}.h5"
        flags = f"--checkpoint {checkpoint} --index {index} --output {output} --shard {shard} --threads 1".split()
        main([*flags, "--settings", json.dumps({"size": "own", "batch_size": 1, "compute": CPU} | settings)])
        return output

    return run


def test_shards_hold_every_sample_once_and_together_what_one_shard_holds(
    tmp_path: Path, run: Callable[..., Path], small_index: Index
) -> None:
    whole, *parts = (run(shard) for shard in ("1-of-1", "1-of-3", "2-of-3", "3-of-3"))
    digest = sha256_of_file(tmp_path / "checkpoint.pt")
    assert same_origin([whole, *parts]) == Origin(CLASS_SETS["cityscapes19"].classes, digest, INTERPOLATION)
    merged, histograms = {}, dict.fromkeys(MEASURES, np.zeros((19, CODES), dtype=np.int64))
    for path in parts:
        with open_shard(path) as shard:
            for row, id_ in enumerate(shard.ids):
                assert id_ not in merged
                merged[id_] = shard.maps(row, ("label", *STORED))
            for measure in MEASURES:
                histograms[measure] = histograms[measure] + shard.histogram(measure)
    with open_shard(whole) as shard:
        assert shard.ids == [sample.id for sample in small_index.samples] == sorted(merged)
        for row, id_ in enumerate(shard.ids):
            maps = shard.maps(row, ("label", *STORED))
            assert all(np.array_equal(maps[name], merged[id_][name]) for name in maps)
        for measure in MEASURES:
            assert np.array_equal(shard.histogram(measure), histograms[measure])


def test_maps_of_averaged_views_differ_say_so_and_are_the_same_again(run: Callable[..., Path]) -> None:
    plain = run("1-of-1").read_bytes()
    averaged = run("1-of-1", views=["flip", 0.5, 1.5])
    content = averaged.read_bytes()
    with open_shard(averaged) as shard:
        assert shard.origin.views == ("flip", 0.5, 1.5)
        total = shard.maps(0, ["probability"])["probability"].astype(np.float32).sum(axis=0)
        assert np.abs(total - 1).max() < 0.01  # float16
    assert run("1-of-1", views=["flip", 0.5, 1.5]).read_bytes() == content != plain
    assert run("1-of-1", views=[]).read_bytes() == plain


def test_settings_without_views_are_those_of_before_there_were_any() -> None:
    assert InferSettings(size="own", views=[]).canonical() == '{"size":"own"}'
    assert InferSettings(size="own", views=["flip", 2]).canonical() == '{"size":"own","views":["flip",2.0]}'


def test_more_shards_than_images_are_refused_with_the_key_to_fix(run: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match=r"inference\.shards: 6 shards for only 5 images"):
        run("6-of-6")


def test_a_network_that_diverged_is_reported_with_the_image_and_leaves_no_shard(
    tmp_path: Path, run: Callable[..., Path]
) -> None:
    network = build_network("small", 19)
    with torch.no_grad():
        network.classifier.weight[3] = 3e38  # type: ignore[union-attr, index]  # finite, as a checkpoint has to be
    save_checkpoint(
        tmp_path / "checkpoint.pt",
        network.state_dict(),
        Description.of("small", CLASS_SETS["cityscapes19"], {}, {}),
    )
    with pytest.raises(InputError, match=r"aachen_000000_000000_leftImg8bit\.png: .* NaN or infinite logits"):
        run("1-of-1")
    assert not [*(tmp_path / "maps").glob("*")]


def test_images_of_one_pixel_go_all_the_way(
    tmp_path: Path, write_cityscapes: Callable[..., Path], run: Callable[..., Path]
) -> None:
    rng = np.random.default_rng(0)
    frames = {
        f"ulm_{number:06d}_000019": (rng.integers(0, 256, (1, 1, 3), dtype=np.uint8), np.full((1, 1), 7, np.uint8))
        for number in range(3)
    }
    root = write_cityscapes(tmp_path / "data", "train", frames)
    index = inspect(
        "cityscapes", format_named("cityscapes"), root, "train", CLASS_SETS["cityscapes19"], Checks()
    ).sound_index()
    write_json(tmp_path / "index.json", index.to_json())
    maps, thresholds = run("1-of-1"), tmp_path / "thresholds.json"
    threshold.main(["--maps", str(maps), "--output", str(thresholds), "--settings", '{"method": "esl"}'])
    flags = f"--maps {maps} --thresholds {thresholds} --index {tmp_path / 'index.json'}"
    pseudo_label.main(f"{flags} --output {tmp_path / 'pseudo_labels.json'}".split())
    manifest = read_json(tmp_path / "pseudo_labels.json")
    with open_shard(maps) as shard:
        labels = [int(shard.maps(row, ["label"])["label"][0, 0]) for row in range(3)]
    assert manifest["images"] == 3 and sum(manifest["kept_pixels"].values()) == 3 * manifest["kept"] > 0
    kept = [int(np.asarray(Image.open(tmp_path / f"pseudo_labels/{id_}.png"))[0, 0]) for id_ in frames]
    assert all(value in (label, 255) for value, label in zip(kept, labels, strict=True))


@pytest.mark.parametrize(("maps", "counted"), [([], []), (["confidence"], ["confidence"]), (["probability"], [])])
def test_the_measures_to_store_get_a_histogram_and_so_does_the_entropy_for_the_gate(
    run: Callable[..., Path], maps: list[str], counted: list[str]
) -> None:
    with open_shard(run("1-of-1", maps=maps)) as shard:
        assert shard.counted == sorted({"entropy", *counted})
        assert [name for name in STORED if shard.holds(name)] == maps
        assert {shard.histogram(measure).sum() for measure in shard.counted} == {5 * 16 * 24}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"maps": ["entropie"]},
            r"maps: unknown map 'entropie'; expected some of entropy, confidence, margin, probability",
        ),
        ({"maps": ["entropy", "entropy"]}, r"maps: expected each map at most once"),
        ({"views": ["flop"]}, r"views: expected `flip` or a scale above 0 other than 1, such as 0.75, but got 'flop'"),
        ({"views": [1]}, r"views: expected `flip` or a scale above 0 other than 1"),
        ({"views": [0.0]}, r"views: expected `flip` or a scale above 0 other than 1"),
        ({"views": [0.5, 0.5]}, r"views: expected each view at most once"),
        ({"batch_size": 0}, r"batch_size: .* greater than or equal to 1"),
        ({"bacth_size": 2}, r"bacth_size"),
    ],
)
def test_settings_that_the_stage_does_not_take_are_refused_by_name(
    run: Callable[..., Path], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run("1-of-1", **settings)
