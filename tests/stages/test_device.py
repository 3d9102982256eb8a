"""The precision that `auto` becomes, and who starts processes."""

import os
import subprocess
import sys
from typing import Any

import pytest
import torch

from esl.errors import InputError
from esl.models.build import build_network
from esl.models.settings import ComputeSettings
from esl.stages.device import make_device, resolved_precision
from esl.stages.fabric import make_fabric

CPU = ComputeSettings(accelerator="cpu", precision="32-true")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"amx_bf16": True, "avx512_bf16": False}, "bf16-mixed"),
        ({"amx_bf16": False, "avx512_bf16": True}, "bf16-mixed"),
        ({"avx2": True, "avx512_f": True, "amx_bf16": False, "avx512_bf16": False}, "32-true"),
        ({"neon": True, "bf16": True}, "32-true"),  # instructions alone: nobody has measured it there
    ],
)
@pytest.mark.parametrize("precision", ["auto", "32-true", "bf16-mixed"])
def test_auto_is_bfloat16_only_where_the_processor_computes_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: str, precision: Any
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    compute = ComputeSettings(accelerator="cpu", precision=precision)
    chosen = make_fabric(compute, threads=1)._precision.precision
    assert make_device(compute, threads=1).precision == chosen
    assert resolved_precision(compute) == chosen == (expected if precision == "auto" else precision)


@pytest.mark.parametrize(
    "variables",
    [{"SLURM_STEP_NUM_TASKS": "3", "SLURM_STEP_NUM_NODES": "1"}, {"WORLD_SIZE": "3", "GROUP_WORLD_SIZE": "1"}],
    ids=["slurm", "torchrun"],
)
def test_more_processes_than_devices_are_refused(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    torchrun = {"TORCHELASTIC_RUN_ID": "1", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "x", "MASTER_PORT": "1"}
    for name, value in (variables | (torchrun if "WORLD_SIZE" in variables else {})).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="--devices 2: expected as many processes, but 3 were started"):
        make_fabric(CPU, threads=1, devices=2)


def test_a_job_of_slurm_whose_step_has_one_task_starts_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"NTASKS": "8", "STEP_NUM_TASKS": "1", "STEP_NUM_NODES": "1", "JOB_NAME": "snakejob"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    assert make_fabric(CPU, threads=1).world_size == 1


@pytest.mark.parametrize("accelerator", ["cuda", "mps"])
@pytest.mark.parametrize("precision", ["auto", "32-true"])
def test_a_device_that_this_machine_lacks_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, accelerator: Any, precision: Any
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(InputError, match=f"compute.accelerator: {accelerator}, but PyTorch .* finds no such device"):
        make_fabric(ComputeSettings(accelerator=accelerator, precision=precision), threads=1)
    with pytest.raises(InputError, match=f"compute.accelerator: {accelerator}, but PyTorch .* finds no such device"):
        make_device(ComputeSettings(accelerator=accelerator, precision=precision), threads=1)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_network_that_is_only_run_gives_the_bytes_that_fabric_gives(precision: Any, pooling: Any) -> None:
    network = build_network("small", 19).eval()
    image = torch.rand(2, 3, 33, 64, generator=torch.Generator().manual_seed(0))
    compute = ComputeSettings(accelerator="cpu", precision=precision)
    device, fabric = make_device(compute, threads=1), make_fabric(compute, threads=1)
    for module in (network, pooling):
        with torch.inference_mode():
            ours, theirs = (each.setup_module(module)(image).main for each in (device, fabric))
        assert ours.dtype == torch.float32 and torch.equal(ours, theirs)


def test_stages_that_only_run_a_network_import_neither_fabric_nor_the_compiler() -> None:
    stages = "esl.stages.infer, esl.stages.evaluate, esl.stages.predict, esl.stages.best_snapshot"
    script = f"import sys, {stages}; from esl.models.build import build_network; build_network('lite0_fpn', 19)"
    heavy = "print([name for name in ('torch._dynamo', 'lightning_fabric') if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", f"{script}; {heavy}"], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere PyTorch comes with another OpenMP")
@pytest.mark.parametrize(("own", "expected"), [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7")])
def test_waiting_threads_spin_only_briefly_unless_the_user_says_otherwise(own: dict[str, str], expected: str) -> None:
    """As OpenMP itself shows it when it is loaded: it must have been set before PyTorch is."""
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    shown = subprocess.run(
        [sys.executable, "-c", "import esl.stages.train"],
        env=environment | {"OMP_DISPLAY_ENV": "verbose"} | own, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"GOMP_SPINCOUNT = '{expected}'" in shown.stderr
