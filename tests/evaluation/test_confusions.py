"""confusions.npz: the matrices that were written, their sums against plain ones, and damaged files."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from esl.data.class_sets import CLASS_SETS
from esl.errors import InputError
from esl.evaluation.confusions import Confusions, read_confusions, read_confusions_of, write_confusions
from esl.evaluation.contents import read_scores
from esl.evaluation.metrics import intersection_over_union
from esl.files import write_json
from tests.contents import confusions_of, write_scored

SYNTHIA = CLASS_SETS["synthia16"]
ROWS = len(SYNTHIA) + len(SYNTHIA.foreign)


def _matrices(images: int, rows: int = ROWS, columns: int = 16) -> NDArray[np.int64]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 1000, (images, rows, columns)) * (rng.random((images, rows, columns)) < 0.2)


def _same(one: Confusions, other: Confusions) -> bool:
    return all(np.array_equal(value, getattr(other, name)) for name, value in vars(one).items() if name != "sets") and {
        name: own.tolist() for name, own in one.sets.items()
    } == {name: own.tolist() for name, own in other.sets.items()}


@pytest.mark.parametrize("images", [0, 1, 5])
@pytest.mark.parametrize("drawn_at_random", [False, True])
def test_what_was_written_is_read_back_and_the_same_content_gives_the_same_bytes(
    tmp_path: Path, images: int, drawn_at_random: bool
) -> None:
    confusions = confusions_of(_matrices(images), SYNTHIA, drawn_at_random=drawn_at_random)
    for name in ("a.npz", "b.npz"):
        write_confusions(tmp_path / name, confusions)
    assert _same(read_confusions(tmp_path / "a.npz"), confusions)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_hits_over_unions_are_the_iou_of_the_summed_matrix_with_and_without_foreign_labels() -> None:
    matrices = _matrices(4)
    confusions = confusions_of(matrices, SYNTHIA)
    assert np.array_equal(confusions.total(), matrices.sum(axis=0))
    for foreign, total in ((False, matrices.sum(axis=0)[:16]), (True, matrices.sum(axis=0))):
        hits, unions = confusions.iou_counts(foreign=foreign)
        assert (hits.sum(axis=0) / unions.sum(axis=0)).tolist() == intersection_over_union(total)
    assert np.array_equal(confusions.iou_counts().hits, np.array([np.diag(own) for own in matrices]))


def test_a_class_counts_as_labelled_by_its_truth_alone() -> None:
    matrix = np.zeros((19, 19), dtype=np.int64)
    matrix[2, 5] = 7
    assert np.flatnonzero(confusions_of([matrix]).labelled).tolist() == [2]


def _edited(path: Path, **changes: Any) -> None:
    with np.load(path) as arrays:
        content = dict(arrays) | changes
    np.savez(path, **content)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ids": np.array(["a", "a"])}, "ids: expected different ones"),
        ({"images": np.array(["a"])}, "ids: expected different ones, one for each image"),
        ({"ids": np.array([1, 2])}, "ids: expected 1 axes"),
        ({"shape": np.array([16, 19])}, "shape"),
        ({"members": np.ones((1, 3), bool)}, "members|argument"),
        ({"image": np.zeros(3, np.int32)}, "the same number of each"),
        ({"labels_sha256": np.array("x")}, "labels_sha256"),
        ({"drawn_at_random": np.array(1.5)}, "drawn_at_random"),
    ],
)
def test_an_impossible_value_is_named(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    path = tmp_path / "confusions.npz"
    write_confusions(path, confusions_of(_matrices(2), SYNTHIA))
    _edited(path, **changes)
    with pytest.raises(InputError, match=rf"confusions.npz: not the confusion matrices .*\(.*({reason}).*; delete it"):
        read_confusions(path)


@pytest.mark.parametrize(("name", "value"), [("image", 2), ("image", -1), ("cell", 16 * ROWS), ("pixels", 0)])
def test_a_cell_outside_of_its_range_is_refused(tmp_path: Path, name: str, value: int) -> None:
    path = tmp_path / "confusions.npz"
    confusions = confusions_of(_matrices(2), SYNTHIA)
    write_confusions(path, confusions)
    changed = np.array(getattr(confusions, name))
    changed[-1] = value
    _edited(path, **{name: changed})
    with pytest.raises(InputError, match="not the confusion matrices"):
        read_confusions(path)


def test_damaged_bytes_are_refused_in_one_line_and_nothing_else_is_raised(tmp_path: Path) -> None:
    path = tmp_path / "confusions.npz"
    write_confusions(path, confusions_of(_matrices(3), SYNTHIA))
    sound, memory = path.read_bytes(), io.BytesIO()
    np.save(memory, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    others = [b"", b"PK", memory.getvalue(), sound[: len(sound) // 2]]
    refused = 0
    for content in (*others, *(_flipped(sound, place) for place in range(0, len(sound), 17))):
        path.write_bytes(content)
        try:
            read_confusions(path)
        except InputError as error:
            assert str(error).startswith(str(path)) and len(str(error).splitlines()) == 1
            refused += 1
    assert refused > len(others)


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"confusions.npz: no such file; run the stage that writes it: snakemake"):
        read_confusions(tmp_path / "confusions.npz")


def test_matrices_of_other_labels_or_other_sums_than_the_scores_next_to_them_are_refused(tmp_path: Path) -> None:
    matrices, path = _matrices(3), tmp_path / "miou.json"
    write_scored(tmp_path, confusions_of(matrices, SYNTHIA), SYNTHIA)
    content = read_scores(path)
    assert read_confusions_of(path, content).ids == confusions_of(matrices, SYNTHIA).ids
    matrices[1, 2, 3] += 1
    write_confusions(tmp_path / "confusions.npz", confusions_of(matrices, SYNTHIA))
    with pytest.raises(InputError, match=r"does not add up to the confusion matrix of miou.json"):
        read_confusions_of(path, content)
    write_json(path, content.to_json() | {"labels_sha256": "ab" * 32})
    with pytest.raises(InputError, match=r"of other images or labels than miou.json"):
        read_confusions_of(path, read_scores(path))
