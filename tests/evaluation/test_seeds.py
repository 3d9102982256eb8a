"""The comparison over seeds, from hand-made results."""

from pathlib import Path

import pytest

from esl.evaluation.seeds import compare_seeds, seed_table
from esl.files import write_json
from esl.stages.reproduce import main
from tests.contents import whole_manifest, whole_table

COVERAGES = ("0.3", "0.5", "0.7", "0.9")


def _result(
    folder: Path, source: float | None, control: float | None, esl: float | None, *, labelled: bool = True
) -> Path:
    """A benchmark's miou.json next to the manifest of its only round with pseudo-labels."""
    miou = {"source": source, "control-round1": control, "esl-round1": esl}
    models = {name: {"miou": {"cityscapes19": value, "other": 0.0}} for name, value in miou.items()}
    write_json(folder / "miou.json", whole_table(models))
    accuracy = {
        measure: dict.fromkeys(COVERAGES, value)
        for measure, value in (("entropy", 0.75), ("confidence", 0.5), ("margin", 0.25))
    }
    quality = {"coverage": 0.5, "accuracy": esl, "accuracy_at_coverage": accuracy}
    write_json(folder / "esl-round1/pseudo_labels.json", whole_manifest(quality=quality if labelled else None))
    return folder / "miou.json"


def test_gains_are_over_the_control_of_the_same_round_and_seed(tmp_path: Path) -> None:
    results = {"1": _result(tmp_path / "1", 0.5, 0.5, 0.75), "2": _result(tmp_path / "2", 0.25, 0.5, 0.625)}
    summary = compare_seeds(results)
    assert summary.seeds == [1, 2]
    assert summary.miou["source"] == {"1": 0.5, "2": 0.25}
    assert summary.gain_over_control == {"esl-round1": {"1": 0.25, "2": 0.125}}
    assert summary.pseudo_labels["esl-round1"].accuracy == {"1": 0.75, "2": 0.625}


def test_the_table_has_a_row_for_every_model_gain_and_measure_in_percent(tmp_path: Path) -> None:
    results = {"1": _result(tmp_path / "1", 0.5, 0.5, 0.75), "2": _result(tmp_path / "2", 0.25, 0.5, 0.625)}
    lines = seed_table(compare_seeds(results)).splitlines()
    assert lines[0] == "| mIoU in percent, seed | 1 | 2 | mean | min to max |"
    assert "| source | 50.0 | 25.0 | 37.5 | 25.0 to 50.0 |" in lines
    assert "| esl-round1 minus control-round1 | +25.0 | +12.5 | +18.8 | +12.5 to +25.0 |" in lines
    assert "| esl-round1: pseudo-label coverage | 50.0 | 50.0 | 50.0 | 50.0 to 50.0 |" in lines
    name = "esl-round1: accuracy of its teacher's most confident 30 %, by"
    assert [line for line in lines if "30 %" in line] == [
        f"| {name} entropy | 75.0 | 75.0 | 75.0 | 75.0 to 75.0 |",
        f"| {name} confidence | 50.0 | 50.0 | 50.0 | 50.0 to 50.0 |",
        f"| {name} margin | 25.0 | 25.0 | 25.0 | 25.0 to 25.0 |",
    ]
    assert len(lines) == 2 + 3 + 1 + 2 + 3 * len(COVERAGES)


def test_a_later_round_is_compared_with_its_own_control_or_the_last_there_is_and_the_closed_gap_is_shown(
    tmp_path: Path,
) -> None:
    miou = {"source": 0.5, "control-round1": 0.5, "esl-round1": 0.55, "esl-round2": 0.625, "oracle": 0.75}
    write_json(tmp_path / "miou.json", whole_table({name: {"miou": {"all": value}} for name, value in miou.items()}))
    for name in ("esl-round1", "esl-round2"):
        write_json(tmp_path / name / "pseudo_labels.json", whole_manifest(quality=None))
    summary = compare_seeds({"1": tmp_path / "miou.json"})
    assert summary.gain_over_control["esl-round2"] == {"1": 0.125}
    assert summary.gap_closed == {"control-round1": {"1": 0.0}, "esl-round1": {"1": pytest.approx(0.2)}} | {
        "esl-round2": {"1": 0.5}
    }
    lines = seed_table(summary).splitlines()
    assert "| esl-round2 minus control-round1 | +12.5 | +12.5 | +12.5 to +12.5 |" in lines
    assert "| esl-round2: share of the way from source to oracle | 50.0 | 50.0 | 50.0 to 50.0 |" in lines
    miou["control-round2"] = 0.575
    write_json(tmp_path / "miou.json", whole_table({name: {"miou": {"all": value}} for name, value in miou.items()}))
    own = compare_seeds({"1": tmp_path / "miou.json"})
    assert own.gain_over_control["esl-round2"] == {"1": pytest.approx(0.05)}


def test_entries_of_any_name_are_compared_with_the_control_and_those_that_keep_nothing_have_no_quality(
    tmp_path: Path,
) -> None:
    quality = {"coverage": 0.0, "accuracy": None, "accuracy_at_coverage": {}}
    for seed in ("1", "2"):
        models = {"control-round1": 0.25, "online-round1": 0.5, "control_long-round1": 0.375}
        content = {name: {"miou": {"cityscapes19": value}} for name, value in models.items()}
        write_json(tmp_path / seed / "miou.json", whole_table(content))
        for name in ("online", "control_long"):
            write_json(tmp_path / seed / f"{name}-round1/pseudo_labels.json", whole_manifest(quality=quality))
    summary = compare_seeds({seed: tmp_path / seed / "miou.json" for seed in ("1", "2")})
    assert {name: values["1"] for name, values in summary.gain_over_control.items()} == {
        "online-round1": 0.25,
        "control_long-round1": 0.125,
    }
    assert summary.pseudo_labels == {}


def test_a_target_without_labels_has_no_quality_to_compare(tmp_path: Path) -> None:
    results = {seed: _result(tmp_path / seed, 0.5, 0.5, 0.75, labelled=False) for seed in ("1", "2")}
    summary = compare_seeds(results)
    assert summary.pseudo_labels == {}
    assert "pseudo-label" not in seed_table(summary)


def test_a_missing_figure_is_a_dash_and_left_out_of_the_mean(tmp_path: Path) -> None:
    results = {"1": _result(tmp_path / "1", 0.5, 0.5, 0.75), "2": _result(tmp_path / "2", 0.25, 0.5, None)}
    lines = seed_table(compare_seeds(results)).splitlines()
    assert "| esl-round1 | 75.0 | - | 75.0 | 75.0 to 75.0 |" in lines
    assert "| esl-round1 minus control-round1 | +25.0 | - | +25.0 | +25.0 to +25.0 |" in lines
    assert "| esl-round1: pseudo-label accuracy | 75.0 | - | 75.0 | 75.0 to 75.0 |" in lines


def test_without_any_label_there_is_nothing_to_compare(tmp_path: Path) -> None:
    results = {seed: _result(tmp_path / seed, None, None, None, labelled=False) for seed in ("1", "2")}
    assert seed_table(compare_seeds(results)) == "nothing to compare: no validation image has a label\n"


def test_the_stage_writes_both(tmp_path: Path) -> None:
    results = [_result(tmp_path / seed, 0.5, 0.5, 0.75) for seed in ("1", "2")]
    files = [tmp_path / "reproduce.json", tmp_path / "reproduce.md"]
    main(["--results", *map(str, results), "--seeds", "1", "2", "--output", str(files[0]), "--table", str(files[1])])
    assert files[1].read_text() == seed_table(compare_seeds(dict(zip("12", results, strict=True))))
    assert files[0].is_file()
