"""Class tables against cityscapesscripts, the owner of the ids."""

import json

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import labels as official_labels

from esl.classes import IGNORE, ClassSet, id_table
from esl.data.class_sets import CLASS_SETS, build_class_set
from esl.data.label_tables.build import label_table
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS, TRAIN_ID_LABELS
from esl.data.label_tables.gta5 import GTA5_LABELS
from esl.data.label_tables.registry import LABEL_TABLES
from esl.data.label_tables.synthia import SYNTHIA_LABELS
from esl.errors import InputError

CITYSCAPES19 = CLASS_SETS["cityscapes19"]
OFFICIAL = [label for label in official_labels if label.id >= 0]


def test_every_cityscapes_id_has_the_official_name_train_id_and_colour() -> None:
    ours = [(label.id, label.name, label.train_id, label.colour) for label in CITYSCAPES_LABELS]
    assert ours == [(label.id, label.name, label.trainId, label.color) for label in OFFICIAL]


def test_the_19_classes_are_in_the_order_of_the_official_train_ids() -> None:
    evaluated = sorted((label for label in OFFICIAL if not label.ignoreInEval), key=lambda label: label.trainId)
    assert [label.trainId for label in evaluated] == list(range(19))
    assert CITYSCAPES19.classes == tuple(label.name for label in evaluated)
    assert CITYSCAPES19.colours == tuple(label.color for label in evaluated)
    assert len(CITYSCAPES19) == 19


def test_the_palette_holds_the_class_colours_and_is_black_elsewhere() -> None:
    palette = np.array(CITYSCAPES19.palette()).reshape(256, 3)
    assert palette[13].tolist() == [0, 0, 142]  # car
    assert [tuple(colour) for colour in palette[:19].tolist()] == list(CITYSCAPES19.colours)
    assert not palette[19:].any()


def test_the_id_table_answers_for_every_byte_as_the_official_table_does() -> None:
    table = id_table(CITYSCAPES_LABELS, CITYSCAPES19)
    official = {label.id: label.trainId for label in OFFICIAL}
    assert table.train_ids.tolist() == [official.get(id_, IGNORE) for id_ in range(256)]
    assert np.flatnonzero(table.known).tolist() == sorted(official)
    assert table.train_ids.dtype == np.uint8


def test_gta5_knows_its_licence_plates_and_ignores_them() -> None:
    gta5, cityscapes = id_table(GTA5_LABELS, CITYSCAPES19), id_table(CITYSCAPES_LABELS, CITYSCAPES19)
    assert gta5.known[34] and gta5.train_ids[34] == IGNORE
    assert not cityscapes.known[34]
    assert np.array_equal(np.delete(gta5.train_ids, 34), np.delete(cityscapes.train_ids, 34))
    assert np.array_equal(np.delete(gta5.known, 34), np.delete(cityscapes.known, 34))


def test_synthia_ids_become_the_train_ids_that_the_literature_uses() -> None:
    """The table of AdaptSegNet, ADVENT and their successors, in trainIds of the 19 classes."""
    published = {3: 0, 4: 1, 2: 2, 21: 3, 5: 4, 7: 5, 15: 6, 9: 7, 6: 8, 1: 10, 10: 11, 17: 12, 8: 13, 19: 15, 12: 17}
    published[11] = 18
    table = id_table(SYNTHIA_LABELS, CITYSCAPES19)
    ids = {id_: int(table.train_ids[id_]) for id_ in range(256) if table.train_ids[id_] != IGNORE}
    # the literature ignores three classes that SYNTHIA has ids for
    assert {id_: ids.pop(id_) for id_ in (16, 18, 20)} == {16: 9, 18: 14, 20: 16}
    assert ids == published
    assert np.flatnonzero(table.known).tolist() == list(range(23))
    names = CLASS_SETS["synthia16"].classes
    sixteen = id_table(SYNTHIA_LABELS, CLASS_SETS["synthia16"]).train_ids
    class_of_id = {id_: names[sixteen[id_]] for id_ in range(23) if sixteen[id_] != IGNORE}
    assert class_of_id == {id_: CITYSCAPES19.classes[train_id] for id_, train_id in published.items()}


def test_synthias_class_sets_are_those_of_the_literature() -> None:
    sixteen, thirteen = CLASS_SETS["synthia16"], CLASS_SETS["synthia13"]
    assert (len(sixteen), len(thirteen)) == (16, 13)
    assert set(CITYSCAPES19.classes) - set(sixteen.classes) == {"terrain", "truck", "train"}
    assert set(sixteen.classes) - set(thirteen.classes) == {"wall", "fence", "pole"}
    assert sixteen.subsets == {"synthia13": thirteen.classes}
    colours = dict(zip(CITYSCAPES19.classes, CITYSCAPES19.colours, strict=True))
    for class_set in (sixteen, thirteen):
        assert [name for name in CITYSCAPES19.classes if name in class_set.classes] == list(class_set.classes)
        assert class_set.colours == tuple(colours[name] for name in class_set.classes)


def test_the_seven_classes_are_the_official_categories_of_the_evaluated_labels() -> None:
    vistas7 = CLASS_SETS["vistas7"]
    table = id_table(CITYSCAPES_LABELS, vistas7)
    for label in OFFICIAL:
        if label.ignoreInEval:
            assert table.train_ids[label.id] == IGNORE
        else:
            assert vistas7.classes[table.train_ids[label.id]] == label.category
    assert vistas7.classes == ("flat", "construction", "object", "nature", "sky", "human", "vehicle")


def test_every_class_of_every_set_has_a_colour_of_its_own_and_labels_of_its_own() -> None:
    for name, class_set in CLASS_SETS.items():
        assert class_set.name == name
        assert len(set(class_set.colours)) == len(set(class_set.classes)) == len(class_set)
        members = [member for group in class_set.members for member in group]
        assert len(class_set.members) == len(class_set) and len(set(members)) == len(members)
        assert all(set(classes) <= set(class_set.classes) for classes in class_set.subsets.values())
        assert ClassSet.from_json(json.loads(json.dumps(class_set.to_json()))) == class_set


def test_the_table_of_train_ids_is_the_official_one_turned_round() -> None:
    official = {label.trainId: label.name for label in OFFICIAL if not label.ignoreInEval}
    assert {label.id: label.name for label in TRAIN_ID_LABELS} == official | {IGNORE: "unlabeled"}
    table = id_table(TRAIN_ID_LABELS, CITYSCAPES19)
    assert table.train_ids.tolist() == [id_ if id_ < 19 else IGNORE for id_ in range(256)]
    assert np.flatnonzero(table.known).tolist() == [*range(19), IGNORE]


def test_every_shipped_table_is_injective_in_its_ids_and_total_over_them() -> None:
    for labels in map(label_table, LABEL_TABLES):
        ids = [label.id for label in labels]
        assert len(set(ids)) == len(ids)
        for class_set in CLASS_SETS.values():
            table = id_table(labels, class_set)
            assert np.flatnonzero(table.known).tolist() == sorted(ids)
            assert (table.train_ids[~table.known] == IGNORE).all()
            used = set(table.train_ids.tolist()) - {IGNORE}
            assert used <= set(range(len(class_set)))


def test_a_class_set_of_ones_own_is_made_of_labels_by_name() -> None:
    mine = build_class_set(
        "mine", {"drivable": {"labels": ["road", "parking"], "colour": [1, 2, 3]}, "car": {}, "lamp": {}}
    )
    assert mine.classes == ("drivable", "car", "lamp")
    assert mine.colours[:2] == ((1, 2, 3), (0, 0, 142))
    table = id_table(CITYSCAPES_LABELS, mine)
    ids = {label.name: label.id for label in CITYSCAPES_LABELS}
    assert [int(table.train_ids[ids[name]]) for name in ("road", "parking", "car", "sky")] == [0, 0, 1, IGNORE]


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"a": {"labels": ["road"]}, "b": {"labels": ["sky", "road"]}}, "'road' is part of 'a' and of 'b'"),
        ({"a": {}}, "expected 2 to 255 classes, but got 1"),
    ],
)
def test_a_class_set_that_cannot_be_is_refused_by_name(classes: dict[str, dict[str, list[str]]], message: str) -> None:
    with pytest.raises(InputError, match=rf"class_sets\.mine: .*{message}"):
        build_class_set("mine", classes)
