"""The training stage: its checkpoint is a function of its inputs, whether or not it was interrupted."""

import csv
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.files import sha256_of_file, write_json
from esl.labelling.contents import Drawn, DrawnImage
from esl.labelling.own import own_labels
from esl.labels.png import write_png
from esl.models.checkpoint import Description, load_checkpoint, save_checkpoint
from esl.stages.train import main
from esl.training.feed import Batch
from esl.training.settings import TrainSettings
from esl.training.step import Step
from tests.contents import whole_manifest

Run = Callable[..., Path]
TrainWords = Callable[..., list[str]]
WriteManifest = Callable[..., Path]
TrainSettingsOf = Callable[..., TrainSettings]


@pytest.fixture
def run(
    tmp_path: Path,
    small_index: Index,
    train_settings: TrainSettingsOf,
    train_words: TrainWords,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Trains into a folder of ``tmp_path``, with changed settings and further flags; with ``dies_at`` it is killed."""
    write_json(tmp_path / "index.json", small_index.to_json())

    def run(folder: str, dies_at: int | None = None, flags: Flags = {}, **changed: object) -> Path:  # noqa: B006
        output = tmp_path / folder / "checkpoint.pt"
        with monkeypatch.context() as patch:
            if dies_at is not None:
                patch.setattr(Step, "__call__", _dying(Step.__call__, dies_at))
            given = {"index": tmp_path / "index.json", "save-every": 2, **flags}
            main(train_words(output, train_settings(**changed), given))
        return output

    return run


Flags = Mapping[str, object]


def _dying(step: Any, dies_at: int) -> Any:
    """A step that is interrupted at iteration ``dies_at``."""

    def dying(self: Step, iteration: int, batches: list[Batch]) -> torch.Tensor:
        if iteration == dies_at:
            raise KeyboardInterrupt
        return step(self, iteration, batches)

    return dying


def test_an_interrupted_training_ends_in_the_same_bytes_and_leaves_no_state(run: Run) -> None:
    whole = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("resumed", dies_at=3)
    assert {path.name for path in (whole.parent.parent / "resumed").iterdir()} == {"last.pt"}
    resumed = run("resumed")
    assert resumed.read_bytes() == whole.read_bytes()
    for folder in (whole.parent, resumed.parent):
        assert {path.name for path in folder.iterdir()} == {"checkpoint.pt", "train.csv"}
    assert (resumed.parent / "train.csv").read_bytes() == (whole.parent / "train.csv").read_bytes()
    rows = [*csv.DictReader((whole.parent / "train.csv").open())]
    assert [int(row["iteration"]) for row in rows] == [2, 4, 5]


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 1},
        {"learning_rate": 0.02},
        {"crop": "16x16"},
        {"precision": "bf16-mixed"},
        {"flags": {"code": "other"}},
        {"source_size": "36x24"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_state_of_other_settings_is_never_continued(run: Run, changed: dict[str, object]) -> None:
    expected = run("fresh", **changed)
    with pytest.raises(KeyboardInterrupt):
        run("other", dies_at=3)
    weights = [
        load_checkpoint(path, CLASS_SETS["cityscapes19"])[0].state_dict()
        for path in (run("other", **changed), expected)
    ]
    assert all(torch.equal(a, b) for a, b in zip(*(w.values() for w in weights), strict=True))


# -------------------------------------------------------------------------------------------------------- rounds


@pytest.fixture
def round_(tmp_path: Path, small_index: Index, write_manifest: WriteManifest) -> dict[str, Any]:
    """The arguments of ``run`` for a round."""
    manifest = write_manifest(tmp_path / "esl-round1", small_index)
    return {"flags": {"target-index": tmp_path / "index.json", "pseudo-labels": manifest}, "target_batch": 2}


def _with_flags(round_: dict[str, Any], flags: Flags) -> dict[str, Any]:
    """The round with some flags changed."""
    return round_ | {"flags": {**round_["flags"], **flags}}


def test_a_round_is_interrupted_and_resumed_to_the_same_bytes(run: Run, round_: dict[str, Any]) -> None:
    whole = run("whole", **round_)
    with pytest.raises(KeyboardInterrupt):
        run("resumed", dies_at=4, **round_)
    assert run("resumed", **round_).read_bytes() == whole.read_bytes()
    rows = [*csv.DictReader((whole.parent / "train.csv").open())]
    assert all(float(row["target_loss"]) > 0 and float(row["target_labelled"]) == 1 for row in rows)


SWITCHES: dict[str, dict[str, Any]] = {
    "warmup": {"warmup": 3},
    "rare classes": {"rare_class_sampling": 0.01},
    "rare target classes": {"target_rare_class_sampling": 0.01},
    "style": {"style": "fda", "style_share": 0.7},
    "teacher": {"term": "ema", "term_settings": {"mask_ratio": 0.5, "mask_block": 8, "final": "teacher"}},
}


def test_a_round_with_every_switch_on_resumes_to_the_same_bytes(run: Run, round_: dict[str, Any]) -> None:
    every: dict[str, Any] = {key: value for switch in SWITCHES.values() for key, value in switch.items()}
    whole = run("whole", **round_, **every)
    with pytest.raises(KeyboardInterrupt):
        run("resumed", dies_at=3, **round_, **every)
    assert run("resumed", **round_, **every).read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_makes_another_model(run: Run, round_: dict[str, Any], name: str) -> None:
    networks = [run(folder, **round_, **changed) for folder, changed in (("off", {}), ("on", SWITCHES[name]))]
    off, on = (load_checkpoint(path, CLASS_SETS["cityscapes19"])[0].state_dict() for path in networks)
    assert not all(torch.equal(a, b) for a, b in zip(off.values(), on.values(), strict=True))


def test_files_of_pseudo_labels_that_keep_nothing_are_like_none(
    tmp_path: Path, run: Run, round_: dict[str, Any], small_index: Index
) -> None:
    """As the control writes them: with the loss, which is 0, and without it the weights are the same."""
    manifest = round_["flags"]["pseudo-labels"]
    digests = {}
    for sample in small_index.samples:
        path = manifest.with_suffix("") / f"{sample.id}.png"
        write_png(path, np.full((16, 24), 255, dtype=np.uint8), CLASS_SETS["cityscapes19"])
        digests[sample.id] = {"sha256": sha256_of_file(path)}
    weights = []
    for kept in (0.5, 0.0):
        write_json(manifest, whole_manifest(digests, kept=kept))
        network, _ = load_checkpoint(run(f"kept {kept}", **round_), CLASS_SETS["cityscapes19"])
        weights.append(network.state_dict().values())
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def test_the_targets_own_labels_are_never_read(
    tmp_path: Path, run: Run, round_: dict[str, Any], small_index: Index
) -> None:
    expected = run("seeing", **round_)
    lost = [replace(sample, label="lost.png", label_sha256="0", pixels=[0] * 19) for sample in small_index.samples]
    write_json(tmp_path / "blind.json", replace(small_index, samples=lost).to_json())
    blind = run("blind", **_with_flags(round_, {"target-index": tmp_path / "blind.json"}))
    assert blind.read_bytes() == expected.read_bytes()


# ---------------------------------------------------------------------------------------- labels of target images


@pytest.fixture
def labelled(tmp_path: Path, small_index: Index, round_: dict[str, Any]) -> dict[str, Any]:
    """The arguments of ``run`` for a round that trains on true labels of the first two images."""
    write_json(tmp_path / "val.json", _without_labels(small_index, small_index.samples).to_json())
    labels = _write_labels(tmp_path / "label", small_index, train=2)
    flags = {"labels": labels, "measured": tmp_path / "val.json"}
    return _with_flags(round_, flags) | {"labelled_batch": 2}


def _write_labels(folder: Path, index: Index, train: int, measure: int = 0) -> Path:
    """The dataset's own labels of its first images for training, and of its last ones for scores."""
    samples = [*index.samples[:train], *index.samples[len(index.samples) - measure :]]
    drawn = Drawn(rule="random", seed=0, measure={}, train={s.id: _drawn(s) for s in samples})
    labels = own_labels(drawn, index, folder / "labels").to_json()
    for sample in samples[train:]:
        labels["files"][sample.id]["set"] = "measure"
    write_json(folder / "labels.json", labels)
    return folder / "labels.json"


def _drawn(sample: IndexedSample) -> DrawnImage:
    return DrawnImage(image=sample.image, sha256=sample.image_sha256, score=None)


def test_a_round_with_true_labels_resumes_to_the_same_bytes_and_says_what_it_read(
    run: Run, labelled: dict[str, Any], round_: dict[str, Any]
) -> None:
    whole = run("whole", **labelled)
    with pytest.raises(KeyboardInterrupt):
        run("resumed", dies_at=3, **labelled)
    assert run("resumed", **labelled).read_bytes() == whole.read_bytes()
    rows = [*csv.DictReader((whole.parent / "train.csv").open())]
    assert all(float(row["labelled_loss"]) > 0 for row in rows)
    networks = [load_checkpoint(path, CLASS_SETS["cityscapes19"]) for path in (whole, run("without", **round_))]
    assert networks[0][1].provenance.keys() - networks[1][1].provenance.keys() == {"target_labels"}


def test_a_true_label_takes_the_place_of_the_pseudo_label(
    tmp_path: Path, run: Run, labelled: dict[str, Any], small_index: Index, write_manifest: WriteManifest
) -> None:
    """Other pseudo-labels of the labelled images make the same model."""
    other = write_manifest(tmp_path / "other", small_index, seed=1)
    manifest = json.loads(labelled["flags"]["pseudo-labels"].read_text())
    for sample in small_index.samples[2:]:
        png = f"pseudo_labels/{sample.id}.png"
        shutil.copy(tmp_path / "esl-round1" / png, tmp_path / "other" / png)
    mixed = json.loads(other.read_text())
    for sample in small_index.samples[2:]:
        mixed["files"][sample.id] = manifest["files"][sample.id]
    write_json(other, mixed)
    weights = [
        load_checkpoint(run(name, **given), CLASS_SETS["cityscapes19"])[0].state_dict().values()
        for name, given in (("a", labelled), ("b", _with_flags(labelled, {"pseudo-labels": other})))
    ]
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def test_an_image_that_scores_are_measured_on_is_refused(
    tmp_path: Path, run: Run, labelled: dict[str, Any], small_index: Index
) -> None:
    """Among the labels for training, and among the source, also as a copy under another name."""
    write_json(tmp_path / "val.json", small_index.to_json())
    with pytest.raises(InputError, match=f"{small_index.samples[0].image}: scores are measured on this image"):
        run("a", **labelled)
    measured = _write_labels(tmp_path / "measured", small_index, train=2, measure=1)
    with pytest.raises(InputError, match=f"{small_index.samples[-1].image}: scores are measured on this image"):
        run("b", **_with_flags(labelled, {"labels": measured}))


def test_the_oracle_trains_on_every_label_but_those_that_are_scored(
    tmp_path: Path, run: Run, round_: dict[str, Any], small_index: Index
) -> None:
    write_json(tmp_path / "val.json", replace(small_index, samples=small_index.samples[3:]).to_json())
    flags = {"target-index": tmp_path / "index.json", "measured": tmp_path / "val.json", "own-labels": ""}
    oracle = round_ | {"flags": flags}
    expected = run("oracle", **oracle)
    three = _without_labels(small_index, small_index.samples[3:])
    write_json(tmp_path / "index_of_three.json", three.to_json())
    again = run("again", **_with_flags(oracle, {"target-index": tmp_path / "index_of_three.json"}))
    assert again.read_bytes() == expected.read_bytes()
    rows = [*csv.DictReader((again.parent / "train.csv").open())]
    assert all(float(row["target_labelled"]) > 0 for row in rows)
    write_json(tmp_path / "all.json", small_index.to_json())
    every = {"target-index": tmp_path / "all.json", "measured": tmp_path / "all.json"}
    with pytest.raises(InputError, match="no target image has a label to train on"):
        run("none", **_with_flags(oracle, every))


def _without_labels(index: Index, samples: Sequence[IndexedSample]) -> Index:
    bare = {sample.id: replace(sample, label=None, pixels=None, label_sha256=None) for sample in samples}
    return replace(index, samples=[bare.get(sample.id, sample) for sample in index.samples])


def test_other_pseudo_labels_make_another_model_and_another_provenance(
    tmp_path: Path, run: Run, round_: dict[str, Any], small_index: Index, write_manifest: WriteManifest
) -> None:
    other = _with_flags(round_, {"pseudo-labels": write_manifest(tmp_path / "bdl-round1", small_index, seed=1)})
    (a, first), (b, second) = (
        load_checkpoint(run(name, **given), CLASS_SETS["cityscapes19"]) for name, given in (("a", round_), ("b", other))
    )
    assert not torch.equal(a.state_dict()["classifier.bias"], b.state_dict()["classifier.bias"])
    changed = {key for key, value in first.provenance.items() if second.provenance[key] != value}
    assert changed == {"pseudo_labels"}


def test_pseudo_labels_that_were_changed_or_are_of_other_images_are_refused(
    tmp_path: Path, run: Run, round_: dict[str, Any], small_index: Index, write_manifest: WriteManifest
) -> None:
    part = write_manifest(tmp_path / "part", replace(small_index, samples=small_index.samples[:-1]))
    with pytest.raises(InputError, match=r"part/pseudo_labels\.json: made for other images"):
        run("a", **_with_flags(round_, {"pseudo-labels": part}))
    png = tmp_path / "esl-round1" / "pseudo_labels" / f"{small_index.samples[2].id}.png"
    png.write_bytes(png.read_bytes() + b"x")
    with pytest.raises(InputError, match=f"{png.name}: changed"):
        run("b", **round_)


def test_a_round_starts_from_the_weights_of_its_initial_checkpoint(run: Run) -> None:
    source = run("source")
    start, _ = load_checkpoint(source, CLASS_SETS["cityscapes19"])
    unmoved = run("round", flags={"initial": source}, learning_rate=1e-30, iterations=2)
    network, description = load_checkpoint(unmoved, CLASS_SETS["cityscapes19"])
    for (name, a), b in zip(start.named_parameters(), network.parameters(), strict=True):
        assert torch.equal(a, b), name
    assert description.provenance["initial"] == sha256_of_file(source)


def test_an_initial_checkpoint_of_another_class_set_or_an_image_without_a_label_is_refused(
    tmp_path: Path, run: Run, small_index: Index
) -> None:
    network, _ = load_checkpoint(run("source", iterations=1), CLASS_SETS["cityscapes19"])
    save_checkpoint(
        tmp_path / "other.pt", network.state_dict(), Description.of("small", CLASS_SETS["synthia16"], {}, {})
    )
    with pytest.raises(InputError, match=r"other\.pt: a model of 'synthia16'"):
        run("a", flags={"initial": tmp_path / "other.pt"})
    first, *rest = small_index.samples
    unlabelled = replace(small_index, samples=[replace(first, label=None, pixels=None, label_sha256=None), *rest])
    write_json(tmp_path / "unlabelled.json", unlabelled.to_json())
    with pytest.raises(InputError, match=f"1 images of 'train' have no label, such as '{first.id}'"):
        run("b", flags={"index": tmp_path / "unlabelled.json"})


def test_compiled_and_checkpointed_together_are_refused(run: Run) -> None:
    with pytest.raises(InputError, match=r"compute\.compile, compute\.activation_checkpointing: exclude each other"):
        run("both", flags={"activation-checkpointing": 1}, compile=True)


def test_event_files_hold_the_log_once_also_after_a_resumption_and_change_no_byte(run: Run, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    plain = run("plain").read_bytes()
    for _ in range(2):  # the second finds the events of the first, as a resumed training does
        logged = run("logged", flags={"tensorboard": 1})
    assert logged.read_bytes() == plain
    events = accumulator.EventAccumulator(str(logged.with_name("tensorboard")))
    events.Reload()
    with logged.with_name("train.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert sorted(events.Tags()["scalars"]) == sorted(rows[0].keys() - {"iteration"})
    for name in events.Tags()["scalars"]:
        seen = [(event.step, event.value) for event in events.Scalars(name)]
        assert seen == [(int(row["iteration"]), pytest.approx(float(row[name]), rel=1e-6)) for row in rows]


def test_checkpointed_activations_change_no_byte(run: Run, round_: dict[str, Any]) -> None:
    twice = _with_flags(round_, {"activation-checkpointing": 1})
    assert run("a", **round_).read_bytes() == run("b", **twice).read_bytes()
