"""What the page and its scripts hold: exact counts, planes, sizes, and nothing that a hostile name could break."""

import base64
import io
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import declaration, format_named
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.errors import InputError
from esl.files import write_json
from esl.labels.confidence import confidence_maps
from esl.labels.fixed_point import TOP
from esl.labels.measures.build import measure_named
from esl.labels.png import png_path
from esl.labels.shard import Origin, write_shard
from esl.stages import pseudo_label, threshold
from esl.viewer.planes import packed, sampled
from tests.figures.conftest import MadeRound, MakeRound
from tests.viewer.conftest import viewed

HOSTILE = """</script><script>alert("1")</script>' /* data */ &amp;"""


def content(page: Path) -> dict[str, Any]:
    """The JSON that a page holds."""
    text = page.read_text(encoding="utf-8").partition('id="data">')[2].partition("</script>")[0]
    result: dict[str, Any] = json.loads(text)
    return result


def scripts(page: Path) -> list[dict[str, Any]]:
    """The content of every image's script, by number."""
    texts = [path.read_text() for path in sorted(page.with_suffix("").glob("*.js"))]
    calls = [json.loads(f"[{text.removeprefix('showImage(').rstrip().removesuffix(')')}]") for text in texts]
    assert [call[0] for call in calls] == [*range(len(calls))]
    return [call[2] for call in calls]


def planes(images: list[str]) -> list[np.ndarray]:
    arrays = (np.asarray(Image.open(io.BytesIO(base64.b64decode(image)))) for image in images)
    return [array[..., channel] for array in arrays for channel in range(3)]


def counts_of(page: Path, script: dict[str, Any]) -> list[np.ndarray]:
    """The counts of an image, of each measure: (P, L, 3)."""
    data = np.frombuffer(zlib.decompress(base64.b64decode(script["counts"])), np.uint8).reshape(4, -1)
    numbers = (data.astype(np.int64) * 256 ** np.arange(4)[:, None]).sum(axis=0)
    levels = [len(measure["thresholds"]) for measure in content(page)["measures"]]
    parts = np.split(numbers, np.cumsum([len(script["classes"]) * size * 3 for size in levels])[:-1])
    return [part.reshape(len(script["classes"]), size, 3) for part, size in zip(parts, levels, strict=True)]


def test_counts_of_images_and_of_all_are_those_of_the_maps(small_index: Index, make_round: MakeRound) -> None:
    made = make_round(small_index)
    page = viewed(made)
    data = content(page)
    assert [measure["name"] for measure in data["measures"]] == ["confidence", "entropy"]
    sums = [np.array(measure["counts"]).reshape(19, -1, 3) for measure in data["measures"]]
    added = [np.zeros_like(total) for total in sums]
    ids = sorted(made.maps)
    assert [image[0] for image in data["images"]] == ids
    for id_, script in zip(ids, scripts(page), strict=True):
        maps = made.maps[id_]
        truth = small_index.read_label(next(sample for sample in small_index.samples if sample.id == id_))
        for measure, counts, total in zip(data["measures"], counts_of(page, script), added, strict=True):
            total[script["classes"]] += counts
            for position in (0, 40, len(measure["thresholds"]) - 1):
                value, codes = measure["thresholds"][position], maps[measure["name"]] / TOP
                kept = codes <= value if measure["sure"] == "low" else codes >= value
                for place, class_ in enumerate(script["classes"]):
                    chosen = kept & (maps["label"] == class_)
                    right, known = chosen & (truth == class_), chosen & (truth != IGNORE)
                    expected = [chosen.sum() - known.sum(), known.sum() - right.sum(), right.sum()]
                    assert counts[place, : position + 1].sum(axis=0).tolist() == expected
    assert all(np.array_equal(a, b) for a, b in zip(sums, added, strict=True))
    kept, right, labelled = np.sum(data["own"]["counts"], axis=0).tolist()
    assert kept / sums[0].sum() == made.thresholds["kept"]
    assert right / labelled == made.manifest.quality.accuracy


def test_planes_hold_prediction_truth_and_levels_of_every_pixel(small_index: Index, make_round: MakeRound) -> None:
    made = make_round(small_index)
    other = make_round(small_index, "sac")
    page = viewed(made, other)
    data = content(page)
    assert data["others"] == [{"name": "sac-round1", "measure": "confidence", "positions": None, "plane": 2}]
    for sample, script in zip(small_index.samples, scripts(page), strict=True):
        maps = made.maps[sample.id]
        prediction, truth, of_other = planes(script["labels"])[:3]
        assert np.array_equal(prediction, maps["label"]) and np.array_equal(truth, small_index.read_label(sample))
        png = Image.open(png_path(other.folder / "pseudo_labels", sample.id))
        assert np.array_equal(of_other, np.asarray(png))
        for measure, levels in zip(data["measures"], planes(script["levels"]), strict=False):
            values = np.array(measure["thresholds"])
            codes = maps[measure["name"]] / TOP
            expected = (
                np.searchsorted(values, codes) if measure["sure"] == "low" else (values > codes[..., None]).sum(-1)
            )
            assert np.array_equal(levels, expected)
        label = np.asarray(Image.open(png_path(made.folder / "pseudo_labels", sample.id)))
        positions = np.array(data["own"]["positions"])
        levels = planes(script["levels"])[1]
        assert np.array_equal(np.where(levels <= positions[prediction], prediction, IGNORE), label)


@pytest.mark.parametrize(("method", "slider"), [("esl", True), ("bdl", True), ("control", True), ("sac", False)])
def test_a_slider_starts_at_a_rule_that_is_a_threshold_and_another_rule_travels_as_a_plane(
    small_index: Index, make_round: MakeRound, method: str, slider: bool
) -> None:
    made = make_round(small_index, method)
    page = viewed(made)
    data = content(page)
    assert (data["own"]["positions"] is not None) == slider
    for sample, script in zip(small_index.samples, scripts(page), strict=True):
        assert ("own" in script) != slider
        if not slider:
            label = np.asarray(Image.open(png_path(made.folder / "pseudo_labels", sample.id)))
            assert np.array_equal(planes(script["labels"])[2], label)
            predicted = made.maps[sample.id]["label"][label != IGNORE]
            assert np.array_equal(np.array(script["own"])[:, 0], np.bincount(predicted, minlength=19))


def test_the_list_knows_share_accuracy_and_classes(small_index: Index, make_round: MakeRound) -> None:
    made = make_round(small_index)
    for id_, kept, accuracy, mask in content(viewed(made))["images"]:
        label = np.asarray(Image.open(png_path(made.folder / "pseudo_labels", id_)))
        truth = small_index.read_label(next(sample for sample in small_index.samples if sample.id == id_))
        assert kept == made.manifest.files[id_].kept == (label != IGNORE).mean()
        both = (label != IGNORE) & (truth != IGNORE)
        assert accuracy == (label == truth)[both].mean()
        present = {*np.unique(made.maps[id_]["label"]), *np.unique(truth[truth != IGNORE])}
        assert {class_ for class_ in range(19) if int(mask, 16) >> class_ & 1} == present


def test_images_without_labels_have_no_accuracy(unlabelled_index: Index, make_round: MakeRound) -> None:
    data = content(viewed(make_round(unlabelled_index)))
    assert not data["labelled"]
    assert np.sum(data["own"]["counts"], axis=0)[1:].tolist() == [0, 0]
    assert {image[2] for image in data["images"]} == {None}
    assert np.array(data["measures"][0]["counts"]).reshape(-1, 3)[:, 1:].sum() == 0


def test_the_same_round_gives_the_same_bytes_and_a_rerun_removes_stale_images(
    small_index: Index, make_round: MakeRound, tmp_path: Path
) -> None:
    made = make_round(small_index)
    first, second = viewed(made), viewed(made, output=tmp_path / "again" / "viewer.html")
    files = [sorted(path.parent.rglob("*.js")) for path in (first, second)]
    assert first.read_bytes() == second.read_bytes()
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    (second.with_suffix("") / "00017.js").write_text("stale")
    viewed(made, output=second)
    assert sorted(path.name for path in second.with_suffix("").iterdir()) == [f"0000{number}.js" for number in range(5)]


def test_hostile_names_cannot_leave_the_json(small_index: Index, make_round: MakeRound) -> None:
    classes = (HOSTILE, *CLASS_SETS["cityscapes19"].classes[1:])
    index = replace(small_index, class_set=replace(small_index.class_set, classes=classes))
    page = viewed(make_round(index, classes=classes))
    assert content(page)["classes"][0][0] == HOSTILE
    assert page.read_text().count("<script") == 2 and "alert(" in page.read_text()


def test_a_changed_pseudo_label_and_foreign_maps_are_refused(
    small_index: Index, make_round: MakeRound, tmp_path: Path
) -> None:
    made = make_round(small_index)
    png = png_path(made.folder / "pseudo_labels", small_index.samples[0].id)
    Image.fromarray(np.zeros((16, 24), np.uint8)).save(png)
    with pytest.raises(InputError, match=png.name):
        viewed(made)
    changed = json.loads((made.folder / "thresholds.json").read_text()) | {"teacher_sha256": "0" * 64}
    (made.folder / "thresholds.json").write_text(json.dumps(changed))
    with pytest.raises(InputError, match="made with another teacher or other views"):
        viewed(made)
    assert not (made.folder / "viewer.html").exists()


def test_lossless_planes_survive_and_are_sampled_at_the_nearest_centres() -> None:
    rng = np.random.default_rng(0)
    four = [rng.integers(0, 256, (7, 5), dtype=np.uint8) for _ in range(4)]
    read = planes(packed(four))
    assert len(read) == 6 and all(np.array_equal(a, b) for a, b in zip(four, read, strict=False))
    plane = np.arange(12, dtype=np.uint8).reshape(2, 6)
    assert sampled(plane, (3, 1)).tolist() == [[7, 9, 11]] and sampled(plane, (6, 2)).tolist() == plane.tolist()


def test_made_rounds_of_one_teacher_share_their_maps(small_index: Index, make_round: MakeRound) -> None:
    """Two methods on the same maps: the other one is drawn from its positions, and needs no plane."""
    other: MadeRound = make_round(small_index, "bdl")
    made = make_round(small_index)
    (entry,) = content(viewed(made, other))["others"]
    assert entry["plane"] is None and entry["measure"] == "confidence"


def test_photographs_with_three_measures_take_at_most_150_kilobytes_each(
    real_camvid: Path, pooling: Any, tmp_path: Path
) -> None:
    """Maps of a network that looks at mean colours: as sharp as its stride of 4 allows."""
    declared = format_named("camvid", declaration("camvid"))
    index = inspect("camvid", declared, real_camvid, "0001TP_006[6-8]*", CLASS_SETS["camvid11"], Checks()).sound_index()
    names = ("confidence", "entropy", "margin")
    shard, folder = tmp_path / "results/source/maps/1-of-1.h5", tmp_path / "results/esl-round1"
    origin = Origin(index.class_set.classes, "abc0" * 16, "bilinear")
    with write_shard(shard, len(index.samples), origin, stored=names, counted=names) as writer:
        for sample in index.samples:
            image = torch.tensor(index.read_image(sample)).permute(2, 0, 1)[None] / 255
            probability = pooling(image).main.softmax(dim=1)[0, : len(origin.classes)]
            probability /= probability.sum(dim=0)
            maps = confidence_maps(probability, (360, 480), [measure_named(name) for name in names])
            half = probability.numpy().astype(np.float16)
            writer.append(writer.pack(sample.id, {**maps, "probability": half}))
    write_json(tmp_path / "results/data/target_train.json", index.to_json())
    made = MadeRound(folder, [shard], tmp_path / "results/data/target_train.json", {})
    settings = ["--output", str(folder / "thresholds.json"), "--settings", '{"method": "esl"}']
    threshold.main(["--maps", str(shard), *settings])
    flags = ["--thresholds", str(folder / "thresholds.json"), "--output", str(folder / "pseudo_labels.json")]
    pseudo_label.main([*made.words(), *flags])
    sizes = [path.stat().st_size for path in viewed(made).with_suffix("").iterdir()]
    assert len(sizes) == len(index.samples) > 3
    assert max(sizes) <= 150_000
