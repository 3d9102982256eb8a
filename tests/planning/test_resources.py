"""The resources of jobs, and what a run lacks."""

import subprocess
from types import SimpleNamespace

import pytest

from tests.configs import shipped
from tests.workflow.jobs import gta2city

# ------------------------------------------------------------------------------------------------------ resources


def test_threads_and_gpus_follow_the_accelerator(make_plan, job):
    cpu, cuda = make_plan(), make_plan(gta2city(compute={"accelerator": "cuda", "workers": 3}))
    assert (cpu.needs.gpus(job()), cpu.needs.training_threads(job())) == (0, 2)
    assert (cuda.needs.gpus(job()), cuda.needs.training_threads(job())) == (1, 8)


def test_rounds_of_several_methods_share_two_cores(make_plan, job):
    round_ = job(round="esl-round1")
    alone = make_plan(gta2city(methods={"control": None, "bdl": None, "esl": {"rounds": 1}}))
    assert (make_plan().needs.round_threads(round_), alone.needs.round_threads(round_)) == (1, 2)
    assert make_plan(gta2city(compute={"accelerator": "cuda", "workers": 3})).needs.round_threads(round_) == 8


def test_a_launcher_starts_a_process_for_every_gpu(make_plan, job):
    plan = make_plan()
    resources = SimpleNamespace(gpu=8, get={"mpi": "srun", "nodes": 2}.get)
    assert plan.needs.launcher(job(), 2, resources) == "srun --nodes=2 --ntasks-per-node=4 "


@pytest.mark.parametrize(
    ("job_id", "installed", "expected"),
    [
        ("7", True, "srun --overlap --ntasks=1 --cpus-per-task=3 --mem=0 --cpu-bind=q python\n"),
        ("7", False, "python\n"),
        ("", True, "python\n"),
        (None, True, "python\n"),
    ],
)
def test_in_a_job_of_slurm_a_training_is_a_step_of_its_own(make_plan, job, tmp_path, job_id, installed, expected):
    words = make_plan().needs.launcher(job(), 3, SimpleNamespace(gpu=1, get={}.get))
    (tmp_path / "bin").mkdir()
    for name, text in (("python", "echo python"), ("srun", 'echo "srun $*"')):
        if name == "python" or installed:
            (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
            (tmp_path / "bin" / name).chmod(0o755)
    environment = {"PATH": str(tmp_path / "bin")} | ({} if job_id is None else {"SLURM_JOB_ID": job_id})
    command = ["/bin/bash", "-euo", "pipefail", "-c", f"{words}python"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == (expected, "")


def test_a_job_that_is_submitted_again_asks_for_more_and_a_training_for_what_its_pixels_need(make_plan, job):
    published = {"crop": "1280x720", "round": {"iterations": 120_000, "source_batch": 1, "target_batch": 1}}
    small, paper = make_plan(), make_plan(gta2city(training=published, compute={"accelerator": "cuda"}))
    assert [small.needs.growing(2000)(job(), attempt) for attempt in (1, 2, 3)] == [2000, 4000, 6000]
    assert small.needs.training_minutes(job(), 1) < 300 and small.needs.training_mb(job(), 1) < 10_000
    assert small.needs.training_mb(job(), 2) == 2 * small.needs.training_mb(job(), 1)
    assert small.needs.round_minutes(job(round="esl-round1"), 1) < small.needs.training_minutes(job(), 1)
    assert 5000 < paper.needs.round_minutes(job(round="esl-round1"), 1) <= 7200
    # more would wait for ever on most partitions
    assert paper.needs.round_minutes(job(round="esl-round1"), 3) == 7200


# --------------------------------------------------------------------------------------------- what a run requires


def ends(plan, wildcards):
    with pytest.raises(SystemExit) as caught:
        plan.inputs.every_index(wildcards)
    return str(caught.value)


def test_everything_that_is_missing_is_reported_together(make_plan, job):
    lists = gta2city(target={"train_split": "day.txt"}) | {}
    message = ends(make_plan(shipped("gta2city"), lists), job())
    lines = message.splitlines()
    assert len(lines) == 4 and all(line.startswith("error: benchmarks.gta2city.") for line in lines)
    assert "source.root: no such folder: data/gta5; download the dataset and unpack it there" in message
    assert "target.root: no such folder: data/cityscapes" in message
    assert "target.train_split: no such list file: day.txt" in message
    assert (
        "pretrained: no such file: weights/DeepLab_resnet_pretrained_imagenet.pth; for deeplabv2_resnet101 get the"
        in message
    )


def test_a_missing_gpu_is_reported_only_for_a_run_on_this_machine(make_plan, job):
    local = SimpleNamespace(is_main_process=True, non_local_exec_or_dryrun=False)
    change = gta2city(compute={"accelerator": "mps"})
    assert "compute.accelerator: mps, but this machine has no Apple GPU" in ends(make_plan(change, run=local), job())
    assert make_plan(change).inputs.every_index(job())
    on_a_node = SimpleNamespace(is_main_process=False, non_local_exec_or_dryrun=False)
    assert make_plan(change, run=on_a_node).inputs.every_index(job())


def test_mistakes_in_the_config_end_the_run_with_one_line_each(make_plan):
    with pytest.raises(SystemExit) as caught:
        make_plan(gta2city(network="smal", class_set="cityscape19"))
    assert str(caught.value).count("config: benchmarks.gta2city.") == 2
