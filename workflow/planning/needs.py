"""The needs of jobs: GPUs, threads, memory, time, and the launcher of a training. None of them changes a result."""

from collections.abc import Callable
from typing import Any

from esl.settings import crop_wh
from esl.training.settings import ScheduleSettings
from planning.benchmark import Benchmark
from planning.benchmarks import Benchmarks, Wildcards
from planning.trainings import oracle_training

LONGEST = 7200
"""Minutes that a training asks for at most: five days, a usual limit. One that reaches it goes on when retried."""

SLOWEST = {True: 0.5, False: 0.02}
"""Megapixels of training images per second, with a GPU and without, on the safe side.

On two cores, 7 blocks of the paper's network reached 0.04 (performance/README.md). For a GPU, which has not been
measured, it is what the paper's 120,000 iterations need to end in five days.
"""

ACTIVATIONS_MB = 16_000
"""Memory of the activations of a megapixel on a CPU; the paper's network takes 7,200 (performance/README.md)."""


class Needs:
    """The needs of each rule; jobs that are submitted again ask for more."""

    def __init__(self, benchmarks: Benchmarks) -> None:
        self._benchmarks = benchmarks

    def setting(self, path: str) -> Callable[[Wildcards], Any]:
        """A function of the wildcards: the value at a dotted ``path`` in the settings of the benchmark."""

        def value(wildcards: Wildcards) -> Any:
            current: Any = self._benchmarks.of(wildcards)
            for key in path.split("."):
                current = getattr(current, key)
            return current

        return value

    def gpus(self, wildcards: Wildcards) -> int:
        """The number of GPUs of a job."""
        return 0 if self._benchmarks.of(wildcards).compute.accelerator == "cpu" else 1

    def training_threads(self, wildcards: Wildcards) -> int:
        """The threads of a training: with a GPU, two and two for each process that reads images; on a CPU two."""
        compute = self._benchmarks.of(wildcards).compute
        return 2 if compute.accelerator == "cpu" else 2 + 2 * compute.workers

    def round_threads(self, wildcards: Wildcards) -> int:
        """The threads of a round: as of any training, but one on a CPU where several variants train side by side.

        Two rounds of one thread take 0.7 times as long as one after the other of two.
        """
        benchmark = self._benchmarks.of(wildcards)
        if benchmark.compute.accelerator == "cpu" and len(benchmark.methods) > 1:
            return 1
        return self.training_threads(wildcards)

    def oracle_mb(self, wildcards: Wildcards, attempt: int) -> int:
        """Memory of the training of the oracle."""
        benchmark = self._benchmarks.of(wildcards)
        return attempt * _memory_mb(benchmark, benchmark.training.round)

    def oracle_minutes(self, wildcards: Wildcards, attempt: int) -> int:
        """Time of the training of the oracle, start included."""
        benchmark = self._benchmarks.of(wildcards)
        return min(attempt * _minutes(benchmark, oracle_training(benchmark).schedule), LONGEST)

    def training_mb(self, wildcards: Wildcards, attempt: int) -> int:
        """Memory of a training of the source stage."""
        benchmark = self._benchmarks.of(wildcards)
        return attempt * _memory_mb(benchmark, benchmark.training.source)

    def round_mb(self, wildcards: Wildcards, attempt: int) -> int:
        """Memory of the training of a round."""
        benchmark = self._benchmarks.seen_by(wildcards.round, wildcards)
        return attempt * _memory_mb(benchmark, benchmark.training.round)

    def training_minutes(self, wildcards: Wildcards, attempt: int) -> int:
        """Time of a training of the source stage, start included."""
        benchmark = self._benchmarks.of(wildcards)
        return min(attempt * _minutes(benchmark, benchmark.training.source), LONGEST)

    def round_minutes(self, wildcards: Wildcards, attempt: int) -> int:
        """Time of the training of a round, start included."""
        benchmark = self._benchmarks.seen_by(wildcards.round, wildcards)
        return min(attempt * _minutes(benchmark, benchmark.training.round), LONGEST)

    def growing(self, amount: int) -> Callable[[Wildcards, int], int]:
        """A function of the wildcards and the attempt: ``amount``, and that much more in each further attempt."""

        def grown(wildcards: Wildcards, attempt: int) -> int:
            return amount * attempt

        return grown

    def launcher(self, wildcards: Wildcards, threads: int, resources: Any) -> str:
        """The launcher of a training: with the resource ``mpi`` a process per GPU on ``nodes`` nodes, else one process.

        In a job of Slurm that process is a step of its own: Slurm ends a job by SIGTERM to its steps, and to nothing
        that the batch script has started itself, so that a training would be killed without having saved its state.
        """
        starter = resources.get("mpi")
        if not starter:
            step = f"srun --overlap --ntasks=1 --cpus-per-task={threads} --mem=0 --cpu-bind=q"
            return f'$([ -n "${{SLURM_JOB_ID:-}}" ] && command -v srun > /dev/null && echo {step}) '
        nodes = resources.get("nodes", 1)
        return f"{starter} --nodes={nodes} --ntasks-per-node={max(resources.gpu // nodes, 1)} "


def _memory_mb(benchmark: Benchmark, schedule: ScheduleSettings) -> int:
    """Memory of a training, with its activations on a CPU, and of the processes that read images."""
    on_cpu = benchmark.compute.accelerator == "cpu"
    activations = ACTIVATIONS_MB * _megapixels(benchmark, schedule) if on_cpu else 4_000
    return round(3_000 + 2_000 * benchmark.compute.workers + activations)


def _minutes(benchmark: Benchmark, schedule: ScheduleSettings) -> int:
    """Time for all iterations, on the safe side."""
    iterations = schedule.iterations * benchmark.training.accumulate
    with_gpu = benchmark.compute.accelerator != "cpu"
    return round(30 + iterations * _megapixels(benchmark, schedule) / SLOWEST[with_gpu] / 60)


def _megapixels(benchmark: Benchmark, schedule: ScheduleSettings) -> float:
    """Pixels of the images of one batch; `crop: whole` counts as images of 1024x1024."""
    width, height = crop_wh(benchmark.training.crop) or (1024, 1024)
    target_batch: int = getattr(schedule, "target_batch", 0)
    return (schedule.source_batch + target_batch) * width * height / 1e6
