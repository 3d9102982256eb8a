"""Class tables against cityscapesscripts, the owner of the ids."""

import numpy as np
from cityscapesscripts.helpers.labels import labels as official_labels

from esl.classes import CITYSCAPES_LABELS, CLASS_SETS, GTA5_LABELS, IGNORE, id_table

CITYSCAPES19 = CLASS_SETS["cityscapes19"]
OFFICIAL = [label for label in official_labels if label.id >= 0]


def test_every_cityscapes_id_has_the_official_name_train_id_and_colour() -> None:
    ours = [(label.id, label.name, label.train_id, label.colour) for label in CITYSCAPES_LABELS]
    assert ours == [(label.id, label.name, label.trainId, label.color) for label in OFFICIAL]


def test_the_19_classes_stand_in_the_order_of_the_official_train_ids() -> None:
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
