"""The index file: its content, reading it back, and the refusal of files changed afterwards."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from esl.classes import ClassSet
from esl.data.index import Index, read_index, require_plain_id
from esl.data.settings import Checks
from esl.errors import InputError
from esl.files import write_json
from tests.data.dataset_files import (
    WriteFrames,
    cityscapes_index,
    random_frames,
    random_ids,
    random_image,
)


def test_an_index_reads_back_as_it_was_written(tmp_path: Path, small_index: Index) -> None:
    write_json(tmp_path / "index.json", small_index.to_json())
    assert read_index(tmp_path / "index.json") == small_index


def test_the_head_of_the_file_sums_up_the_samples(tmp_path: Path, write_cityscapes: WriteFrames) -> None:
    frames = random_frames(2) | {"bonn_000000_000019": (random_image(7, 20, 10), None)}
    content = cityscapes_index(write_cityscapes(tmp_path, "train", frames), Checks(labels="optional")).to_json()
    assert (content["images"], content["labelled"]) == (3, 2)
    assert content["sizes"] == {"12x8": 2, "20x10": 1}
    roads = sum(int((ids == 7).sum()) for _, ids in frames.values() if ids is not None)
    assert content["class_pixels"]["road"] == roads > 0
    assert content["samples"][0]["label"] is content["samples"][0]["pixels"] is None  # bonn comes first


def test_fingerprints_follow_content_and_only_the_whole_one_follows_labels(
    tmp_path: Path, write_cityscapes: WriteFrames
) -> None:
    frames = random_frames(2)
    base = cityscapes_index(write_cityscapes(tmp_path / "a", "train", frames))
    moved = cityscapes_index(write_cityscapes(tmp_path / "b", "train", frames))
    assert (moved.fingerprint(), moved.image_fingerprint()) == (base.fingerprint(), base.image_fingerprint())
    first = min(frames)
    image, ids = frames[first]
    assert ids is not None
    other_label = cityscapes_index(write_cityscapes(tmp_path / "c", "train", {**frames, first: (image, ids[::-1])}))
    assert other_label.image_fingerprint() == base.image_fingerprint()
    assert other_label.fingerprint() != base.fingerprint()
    other_image = cityscapes_index(write_cityscapes(tmp_path / "d", "train", {**frames, first: (image[::-1], ids)}))
    assert other_image.image_fingerprint() != base.image_fingerprint()
    assert other_image.fingerprint() != base.fingerprint()


def test_a_damaged_index_file_is_refused_by_name(tmp_path: Path, small_index: Index) -> None:
    content = small_index.to_json()
    for damaged in (
        {key: value for key, value in content.items() if key != "root"},
        {**content, "samples": [{**content["samples"][0], "unheard_of": 1}]},
        {**content, "samples": [{"id": "a"}]},
        {**content, "samples": ["a"]},
        {**content, "samples": [{**content["samples"][0], "pixels": "many"}]},
        {**content, "class_set": {**content["class_set"], "classes": []}},
        {**content, "encoding": "guessed"},
        {**content, "left_out": 3},
    ):
        (tmp_path / "index.json").write_text(json.dumps(damaged))
        with pytest.raises(InputError, match=r"index\.json: not an index of this version"):
            read_index(tmp_path / "index.json")


def test_an_edited_index_is_refused(tmp_path: Path, small_index: Index) -> None:
    content = small_index.to_json()
    first, *others = content["samples"]
    for key, value in (("id", "another"), ("image_sha256", "0" * 64), ("label_sha256", None)):
        write_json(tmp_path / "index.json", {**content, "samples": [{**first, key: value}, *others]})
        with pytest.raises(InputError, match=r"index\.json: edited or damaged since it was written; delete it"):
            read_index(tmp_path / "index.json")


def test_sizes_and_pixels_that_do_not_give_the_sums_are_refused(tmp_path: Path, small_index: Index) -> None:
    content = small_index.to_json()
    first, *others = content["samples"]
    more = [first["pixels"][0] + 1, *first["pixels"][1:]]
    changes = ({"samples": [{**first, "size_wh": [99, 9]}, *others]}, {"samples": [{**first, "pixels": more}, *others]})
    for change in (*changes, {"images": 99}, {"class_pixels": {}}):
        write_json(tmp_path / "index.json", content | change)
        with pytest.raises(InputError, match=r"index\.json: edited or damaged since it was written; delete it"):
            read_index(tmp_path / "index.json")


@pytest.mark.parametrize("path", ["../secret.png", "/etc/passwd", "a/../../b.png"])
@pytest.mark.parametrize("key", ["image", "label"])
def test_no_path_of_an_index_leads_out_of_its_root(tmp_path: Path, small_index: Index, key: str, path: str) -> None:
    content = small_index.to_json()
    first, *others = content["samples"]
    write_json(tmp_path / "index.json", {**content, "samples": [{**first, key: path}, *others]})
    with pytest.raises(InputError, match=r"index\.json: .* leads out of "):
        read_index(tmp_path / "index.json")


@pytest.mark.parametrize(
    "text", ['{"a": NaN}', '{"a": -Infinity}', "[" * 100_000, '{"a": ' + "9" * 5000 + "}", "{", "\xff"]
)
def test_what_is_no_json_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"index\.json: not readable as JSON .*; delete it and run") as caught:
        read_index(tmp_path / "index.json")
    assert len(str(caught.value).splitlines()) == 1


def test_an_index_of_the_previous_version_is_one_clear_error(tmp_path: Path, small_index: Index) -> None:
    content = small_index.to_json()
    names = {"image": "picture", "size_wh": "size", "label_size_wh": "label_size", "image_sha256": "picture_sha256"}
    content["samples"] = [{names.get(key, key): value for key, value in row.items()} for row in content["samples"]]
    write_json(tmp_path / "index.json", content)
    with pytest.raises(InputError, match=r"index\.json: not an index of this version .*; delete it and run"):
        read_index(tmp_path / "index.json")


def test_a_file_that_changed_since_it_was_indexed_is_refused_by_whatever_reads_it(
    tmp_path: Path, write_cityscapes: WriteFrames
) -> None:
    index = cityscapes_index(write_cityscapes(tmp_path, "train", random_frames()))
    first, second, third = index.samples
    Image.fromarray(random_image(9)).save(index.image(first).path)
    Image.fromarray(random_ids(9)).save(index.label(second).path)
    message = r"{}: changed since it was indexed; run the workflow again: it indexes changed data first"
    with pytest.raises(InputError, match=message.format(r"000000_000019_leftImg8bit\.png")):
        index.read_image(first)
    with pytest.raises(InputError, match=message.format(r"000001_000019_gtFine_labelIds\.png")):
        index.read_label(second)
    index.read_label(first), index.read_image(second), index.read_image(third), index.read_label(third)
    index.image(third).path.unlink()
    with pytest.raises(InputError, match=r"no such file, but it was indexed; restore it, or index the dataset again"):
        index.read_image(third)


@pytest.mark.parametrize("id_", ["..", ".", "", "a/b", "a\\b"])
def test_an_id_that_is_not_a_plain_file_name_is_refused(id_: str) -> None:
    with pytest.raises(InputError, match=r"expected a plain file name without folders; rename the file"):
        require_plain_id(id_)
    assert require_plain_id("a..b") == "a..b"


def test_the_fingerprint_knows_what_labels_mean(small_index: Index) -> None:
    swapped = ClassSet.from_json(small_index.class_set.to_json() | {"name": "other"})
    assert replace(small_index, class_set=swapped).fingerprint() != small_index.fingerprint()
    other_ids = (replace(small_index.labels[0], name="road"), *small_index.labels[1:])
    assert replace(small_index, labels=other_ids).fingerprint() != small_index.fingerprint()
    assert replace(small_index, encoding="colours").fingerprint() != small_index.fingerprint()
    assert replace(small_index, split="other", root="elsewhere").fingerprint() == small_index.fingerprint()
    assert replace(small_index, class_set=swapped).image_fingerprint() == small_index.image_fingerprint()
