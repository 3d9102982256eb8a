"""The training stage: its checkpoint is a function of its inputs, whether or not it was interrupted."""

import csv
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.errors import InputError
from esl.files import sha256_of_file, write_json
from esl.labels.png import write_png
from esl.models.checkpoint import Description, load_checkpoint, save_checkpoint
from esl.models.registry import build_network
from esl.stages.train import main
from esl.training.feed import Batch
from esl.training.settings import TrainSettings
from esl.training.step import Step

Run = Callable[..., Path]
TrainSettingsOf = Callable[..., TrainSettings]


@pytest.fixture
def run(tmp_path: Path, small_index: Index, train_settings: TrainSettingsOf, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Trains into a folder of ``tmp_path``, with changed settings and further flags; with ``dies_at`` it is killed."""
    write_json(tmp_path / "index.json", small_index.to_json())

    def run(folder: str, dies_at: int | None = None, flags: Flags = {}, **changed: object) -> Path:  # noqa: B006
        output = tmp_path / folder / "checkpoint.pt"
        with monkeypatch.context() as patch:
            if dies_at is not None:
                patch.setattr(Step, "__call__", _dying(Step.__call__, dies_at))
            given = {"index": tmp_path / "index.json", "save-every": 2, **flags}
            main(_words(output, train_settings(**changed), given))
        return output

    return run


Flags = Mapping[str, object]


def _words(output: Path, settings: TrainSettings, flags: Flags) -> list[str]:
    """The command line of the stage."""
    all_ = {"output": output, "threads": 1, "settings": settings.canonical(), **flags}
    return [str(word) for name, value in all_.items() for word in (f"--{name}", value)]


def _dying(step: Any, dies_at: int) -> Any:
    """A step that is interrupted at iteration ``dies_at``."""

    def dying(self: Step, iteration: int, batches: list[Batch]) -> torch.Tensor:
        if iteration == dies_at:
            raise KeyboardInterrupt
        return step(self, iteration, batches)

    return dying


def _write_manifest(folder: Path, index: Index, seed: int = 0) -> Path:
    """Random pseudo-labels of every sample, in place of those of a teacher."""
    generator = torch.Generator().manual_seed(seed)
    files = {}
    for sample in index.samples:
        path = folder / "pseudo_labels" / f"{sample.id}.png"
        label = torch.randint(0, 19, (16, 24), generator=generator, dtype=torch.uint8).numpy()
        write_png(path, label, CLASS_SETS["cityscapes19"])
        files[sample.id] = {"sha256": sha256_of_file(path)}
    write_json(folder / "pseudo_labels.json", {"files": files})
    return folder / "pseudo_labels.json"


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
def round_(tmp_path: Path, small_index: Index) -> dict[str, Any]:
    """What ``run`` needs for a round."""
    manifest = _write_manifest(tmp_path / "esl-round1", small_index)
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


def test_the_targets_own_labels_are_never_looked_at(
    tmp_path: Path, run: Run, round_: dict[str, Any], small_index: Index
) -> None:
    expected = run("seeing", **round_)
    lost = [replace(sample, label="lost.png", label_sha256="0", pixels=[0] * 19) for sample in small_index.samples]
    write_json(tmp_path / "blind.json", replace(small_index, samples=lost).to_json())
    blind = run("blind", **_with_flags(round_, {"target-index": tmp_path / "blind.json"}))
    assert blind.read_bytes() == expected.read_bytes()


def test_other_pseudo_labels_make_another_model_and_another_provenance(
    tmp_path: Path, run: Run, round_: dict[str, Any], small_index: Index
) -> None:
    other = _with_flags(round_, {"pseudo-labels": _write_manifest(tmp_path / "bdl-round1", small_index, seed=1)})
    (a, first), (b, second) = (
        load_checkpoint(run(name, **given), CLASS_SETS["cityscapes19"]) for name, given in (("a", round_), ("b", other))
    )
    assert not torch.equal(a.state_dict()["classifier.bias"], b.state_dict()["classifier.bias"])
    changed = {key for key, value in first.provenance.items() if second.provenance[key] != value}
    assert changed == {"pseudo_labels"}


def test_pseudo_labels_that_were_changed_or_are_of_other_images_are_refused(
    tmp_path: Path, run: Run, round_: dict[str, Any], small_index: Index
) -> None:
    part = _write_manifest(tmp_path / "part", replace(small_index, samples=small_index.samples[:-1]))
    with pytest.raises(InputError, match=r"part/pseudo_labels\.json: not of the images"):
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
    save_checkpoint(tmp_path / "other.pt", network, Description.of("small", CLASS_SETS["synthia16"], {}, {}))
    with pytest.raises(InputError, match=r"other\.pt: a model of 'synthia16'"):
        run("a", flags={"initial": tmp_path / "other.pt"})
    first, *rest = small_index.samples
    unlabelled = replace(small_index, samples=[replace(first, label=None, pixels=None, label_sha256=None), *rest])
    write_json(tmp_path / "unlabelled.json", unlabelled.to_json())
    with pytest.raises(InputError, match=f"1 images of 'train' have no label, '{first.id}' first"):
        run("b", flags={"index": tmp_path / "unlabelled.json"})


def test_two_processes_train_what_one_does_with_the_same_global_batch(
    tmp_path: Path, small_index: Index, train_settings: TrainSettingsOf
) -> None:
    """Two processes on the CPU exchange gradients by gloo; with frozen batch norm only rounding may differ."""
    write_json(tmp_path / "index.json", small_index.to_json())
    manifest = _write_manifest(tmp_path / "esl-round1", small_index)
    weights = []
    for devices, batch in ((1, 2), (2, 1)):
        output = tmp_path / f"{devices}/checkpoint.pt"
        settings = train_settings(
            source_batch=batch, target_batch=batch, batch_norm="frozen", crop="64x64", optimizer="sgd",
            learning_rate=0.1, term="minent", term_settings={"weight": 0.1},
        )  # fmt: skip
        index = tmp_path / "index.json"
        flags = {"devices": devices, "index": index, "target-index": index, "pseudo-labels": manifest}
        words = _words(output, settings, flags)
        if devices == 1:
            main(words)
        else:
            command = [sys.executable, "-m", "esl.stages.train", *words]
            ended = subprocess.run(command, capture_output=True, text=True)
            assert ended.returncode == 0, ended.stderr
        network, description = load_checkpoint(output, CLASS_SETS["cityscapes19"])
        assert description.settings["processes"] == devices
        weights.append(torch.cat([value.ravel() for value in network.parameters()]))
    torch.manual_seed(0)
    fresh = torch.cat([value.ravel() for value in build_network("small", 19).parameters()])
    assert (weights[0] - fresh).abs().max() > 1e-2
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-3, atol=1e-5)


def test_compiled_and_checkpointed_together_are_refused(run: Run) -> None:
    with pytest.raises(InputError, match="compute.compile, compute.activation_checkpointing: exclude each other"):
        run("both", flags={"activation-checkpointing": 1}, compile=True)


def test_checkpointed_activations_change_no_byte(run: Run, round_: dict[str, Any]) -> None:
    twice = _with_flags(round_, {"activation-checkpointing": 1})
    assert run("a", **round_).read_bytes() == run("b", **twice).read_bytes()


@pytest.mark.slow
def test_processes_that_slurm_or_torchrun_start_train_what_ours_do(
    tmp_path: Path, small_index: Index, train_settings: TrainSettingsOf
) -> None:
    """Two nodes of Slurm with a task each, as ``srun`` describes them to their processes; two processes of torchrun."""
    write_json(tmp_path / "index.json", small_index.to_json())

    def started(folder: str, *before: str, **variables: str) -> "subprocess.Popen[str]":
        flags = {"devices": 2, "index": tmp_path / "index.json"}
        words = _words(tmp_path / folder / "checkpoint.pt", train_settings(source_batch=1, iterations=3), flags)
        command = [sys.executable, *before, "-m", "esl.stages.train", *words]
        return subprocess.Popen(command, env=os.environ | variables, stderr=subprocess.PIPE, text=True)

    job = {"NTASKS": "2", "NTASKS_PER_NODE": "1", "NNODES": "2", "STEP_NUM_TASKS": "2", "STEP_NUM_NODES": "2"}
    job |= {"JOB_NAME": "snakejob", "JOB_ID": "7", "NODELIST": "localhost", "LOCALID": "0"}
    port = _free_port()
    tasks = [
        {f"SLURM_{name}": value for name, value in (job | {"PROCID": rank, "NODEID": rank}).items()}
        | {"MASTER_ADDR": "localhost", "MASTER_PORT": port}
        for rank in ("0", "1")
    ]
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port", _free_port()]
    for processes in (
        [started("own")],
        [started("slurm", **task) for task in tasks],
        [started("torchrun", *torchrun)],
    ):
        for process in processes:
            assert process.wait() == 0, process.stderr.read()  # type: ignore[union-attr]
    own, *others = (tmp_path / folder / "checkpoint.pt" for folder in ("own", "slurm", "torchrun"))
    assert load_checkpoint(own, CLASS_SETS["cityscapes19"])[1].settings["processes"] == 2
    assert all(other.read_bytes() == own.read_bytes() for other in others)


def _free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return str(listener.getsockname()[1])


@pytest.mark.slow
def test_a_process_that_is_killed_or_terminated_goes_on_to_the_same_bytes(
    tmp_path: Path, small_index: Index, train_settings: TrainSettingsOf
) -> None:
    write_json(tmp_path / "index.json", small_index.to_json())
    settings = train_settings(iterations=40, crop="64x64", target_batch=1, term="advent")
    flags = {"save-every": 3, "workers": 1, "index": tmp_path / "index.json", "target-index": tmp_path / "index.json"}

    def process(output: Path) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "esl.stages.train", *_words(output, settings, flags)]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    assert process(tmp_path / "whole/checkpoint.pt").wait() == 0
    output = tmp_path / "cut/checkpoint.pt"
    for ending in (signal.SIGKILL, signal.SIGTERM):
        cut, last = process(output), output.with_name("last.pt")
        before = last.stat().st_mtime_ns if last.exists() else 0
        while cut.poll() is None and (not last.exists() or last.stat().st_mtime_ns == before):
            time.sleep(0.01)
        cut.send_signal(ending)
        assert cut.wait() == (-ending if ending == signal.SIGKILL else 128 + ending)
        assert last.exists() and not output.exists()
    assert process(output).wait() == 0
    assert output.read_bytes() == (tmp_path / "whole/checkpoint.pt").read_bytes()
    assert sorted(path.name for path in output.parent.iterdir()) == ["checkpoint.pt", "train.csv"]
