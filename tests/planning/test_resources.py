"""The resources of jobs, and what a run lacks."""

from types import SimpleNamespace

import pytest

from tests.configs import shipped
from tests.workflow.jobs import gta2city

# ------------------------------------------------------------------------------------------------------ resources


def test_threads_and_gpus_follow_the_accelerator(make_plan, job):
    cpu, cuda = make_plan(), make_plan(gta2city(compute={"accelerator": "cuda", "workers": 3}))
    assert (cpu.gpus(job()), cpu.training_threads(job())) == (0, 2)
    assert (cuda.gpus(job()), cuda.training_threads(job())) == (1, 8)


def test_rounds_of_several_methods_share_two_cores(make_plan, job):
    round_ = job(round="esl-round1")
    alone = make_plan(gta2city(methods={"control": None, "bdl": None, "esl": {"rounds": 1}}))
    assert (make_plan().training_threads(round_), alone.training_threads(round_)) == (1, 2)
    assert make_plan(gta2city(compute={"accelerator": "cuda", "workers": 3})).training_threads(round_) == 8


def test_a_launcher_starts_a_process_for_every_gpu(make_plan, job):
    plan = make_plan()
    resources = SimpleNamespace(gpu=8, get={"mpi": "srun", "nodes": 2}.get)
    assert plan.launcher(job(), resources) == "srun --nodes=2 --ntasks-per-node=4 "
    assert plan.launcher(job(), SimpleNamespace(gpu=1, get={}.get)) == ""


# --------------------------------------------------------------------------------------------- what a run requires


def ends(plan, wildcards):
    with pytest.raises(SystemExit) as caught:
        plan.every_index(wildcards)
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
    assert make_plan(change).every_index(job())
    on_a_node = SimpleNamespace(is_main_process=False, non_local_exec_or_dryrun=False)
    assert make_plan(change, run=on_a_node).every_index(job())


def test_mistakes_in_the_config_end_the_run_with_one_line_each(make_plan):
    with pytest.raises(SystemExit) as caught:
        make_plan(gta2city(network="smal", class_set="cityscape19"))
    assert str(caught.value).count("config: benchmarks.gta2city.") == 2
