"""A figure of a round never mixes it with the maps of another teacher."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from esl.data.index import Index
from esl.errors import InputError
from esl.files import read_json
from esl.stages import draw_gallery, draw_risk_coverage, draw_thresholds
from tests.figures.conftest import MakeRound


@pytest.mark.parametrize("main", [draw_gallery.main, draw_risk_coverage.main, draw_thresholds.main])
def test_maps_of_another_teacher_are_refused(
    main: Callable[[list[str]], None], small_index: Index, make_round: MakeRound, tmp_path: Path
) -> None:
    made = make_round(small_index)
    thresholds, manifest = made.folder / "thresholds.json", made.folder / "pseudo_labels.json"
    thresholds.write_text(json.dumps(read_json(thresholds) | {"teacher_sha256": "0" * 64}))
    flags = {
        draw_gallery.main: [*made.words(manifest=True), "--thresholds", str(thresholds)],
        draw_risk_coverage.main: [*made.words(), "--rounds", str(manifest)],
        draw_thresholds.main: [*made.words(index=False), "--thresholds", str(thresholds)],
    }
    with pytest.raises(InputError, match=r"thresholds\.json: made with another teacher or other views than .*1-of-2"):
        main([*flags[main], "--output", str(tmp_path / "a.png")])
    assert not (tmp_path / "a.png").exists()
