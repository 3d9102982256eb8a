"""The training stage in processes of its own: several of them, killed ones, and those that a launcher starts."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.files import write_json
from esl.models.build import build_network
from esl.models.checkpoint import load_checkpoint
from esl.stages.train import main
from esl.training.settings import TrainSettings

TrainSettingsOf = Callable[..., TrainSettings]
TrainWords = Callable[..., list[str]]
WriteManifest = Callable[..., Path]


@pytest.mark.parametrize(
    ("term", "term_settings"),
    [
        ("minent", {"weight": 0.1}),
        ("ema", {"mix": "none", "colour": 0, "blur": 0, "confidence": 0.055, "weight": 0.5, "alpha": 0.5}),
    ],
)
def test_two_processes_train_what_one_does_with_the_same_global_batch(
    tmp_path: Path,
    small_index: Index,
    train_settings: TrainSettingsOf,
    train_words: TrainWords,
    write_manifest: WriteManifest,
    term: str,
    term_settings: dict[str, Any],
) -> None:
    """Two processes on the CPU exchange gradients by gloo; with frozen batch norm only rounding may differ."""
    write_json(tmp_path / "index.json", small_index.to_json())
    manifest = write_manifest(tmp_path / "esl-round1", small_index)
    weights = []
    for devices, batch in ((1, 2), (2, 1)):
        output = tmp_path / f"{devices}/checkpoint.pt"
        settings = train_settings(
            source_batch=batch, target_batch=batch, batch_norm="frozen", crop="64x64", optimizer="sgd",
            learning_rate=0.1, term=term, term_settings=term_settings,
        )  # fmt: skip
        index = tmp_path / "index.json"
        flags = {"devices": devices, "index": index, "target-index": index, "pseudo-labels": manifest}
        words = train_words(output, settings, flags)
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


@pytest.mark.slow
def test_processes_exchange_gradients_of_a_term_that_runs_the_network_on_images_of_its_own(
    tmp_path: Path, small_index: Index, train_settings: TrainSettingsOf, train_words: TrainWords
) -> None:
    """Several passes before one backward pass, with batch norm whose statistics change in each."""
    write_json(tmp_path / "index.json", small_index.to_json())
    settings = train_settings(
        target_batch=2, term="ema", term_settings={"mask_ratio": 0.5, "mask_block": 8}, batch_norm="shared"
    )
    flags = {"devices": 2, "index": tmp_path / "index.json", "target-index": tmp_path / "index.json"}
    words = train_words(tmp_path / "checkpoint.pt", settings, flags)
    ended = subprocess.run([sys.executable, "-m", "esl.stages.train", *words], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_processes_that_slurm_or_torchrun_start_train_what_ours_do(
    tmp_path: Path, small_index: Index, train_settings: TrainSettingsOf, train_words: TrainWords
) -> None:
    """Two nodes of Slurm with a task each, as ``srun`` describes them to their processes; two processes of torchrun."""
    write_json(tmp_path / "index.json", small_index.to_json())

    def started(folder: str, *before: str, **variables: str) -> "subprocess.Popen[str]":
        flags = {"devices": 2, "index": tmp_path / "index.json"}
        words = train_words(tmp_path / folder / "checkpoint.pt", train_settings(source_batch=1, iterations=3), flags)
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
@pytest.mark.parametrize(("term", "crop"), [("advent", "64x64"), ("ema", "24x16")])
def test_a_process_that_is_killed_or_terminated_goes_on_to_the_same_bytes(
    tmp_path: Path, small_index: Index, train_settings: TrainSettingsOf, train_words: TrainWords, term: str, crop: str
) -> None:
    write_json(tmp_path / "index.json", small_index.to_json())
    settings = train_settings(iterations=40, crop=crop, target_batch=1, term=term)
    flags = {"save-every": 3, "workers": 1, "index": tmp_path / "index.json", "target-index": tmp_path / "index.json"}

    def process(output: Path) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "esl.stages.train", *train_words(output, settings, flags)]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    assert process(tmp_path / "whole/checkpoint.pt").wait() == 0
    output = tmp_path / "cut/checkpoint.pt"
    for ending in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
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


def test_a_training_that_is_started_twice_waits_and_is_made_once(
    tmp_path: Path, small_index: Index, train_settings: TrainSettingsOf, train_words: TrainWords
) -> None:
    """As when Snakemake was killed, but not its job, and is typed again."""
    write_json(tmp_path / "index.json", small_index.to_json())
    flags = {"save-every": 2, "index": tmp_path / "index.json"}
    output = tmp_path / "model/checkpoint.pt"
    words = train_words(output, train_settings(iterations=60), flags)
    command = [sys.executable, "-m", "esl.stages.train", *words]
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not output.with_name("last.pt").exists():
        assert first.poll() is None
        time.sleep(0.01)
    first.send_signal(signal.SIGSTOP)  # so that it has not ended before the second one begins
    second = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert second.stderr is not None
    said = next(line for line in second.stderr if "waiting" in line)
    assert said.startswith(f"{output.with_name('train.lock')}: process {first.pid} on ")
    first.send_signal(signal.SIGCONT)
    assert first.wait() == 0 and second.wait() == 0
    assert "checkpoint.pt: has been trained meanwhile" in second.stderr.read()
    assert sorted(path.name for path in output.parent.iterdir()) == ["checkpoint.pt", "train.csv"]
