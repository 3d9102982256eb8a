"""What jobs ask of a machine: GPUs, threads, memory, time, and what starts a training. None of it changes a result."""

from collections.abc import Callable
from typing import Any

from esl.settings import crop_wh
from esl.training.settings import RoundSettings, SourceSettings
from planning.models import Models, Wildcards

LONGEST = 7200
"""Minutes that a training asks for at most: five days, a usual limit. One that reaches it goes on when retried."""

SLOWEST = {True: 0.5, False: 0.02}
"""Megapixels of training images per second, with a GPU and without, on the safe side.

On two cores, 7 blocks of the paper's network reached 0.04 (benchmarks/README.md). For a GPU, which has not been
measured, it is what the paper's 120,000 iterations need to end in five days.
"""

ACTIVATIONS_MB = 16_000
"""Memory of the activations of a megapixel on a CPU; the paper's network takes 7,200 (benchmarks/README.md)."""


class Resources(Models):
    """The resources of each rule; jobs that are submitted again ask for more."""

    def gpus(self, wildcards: Wildcards) -> int:
        """How many GPUs a job needs."""
        return 0 if self.settings_of(wildcards).compute.accelerator == "cpu" else 1

    def training_threads(self, wildcards: Wildcards) -> int:
        """The threads of a training: with a GPU, two and two for each process that reads images; on a CPU two.

        Rounds of several methods have one on a CPU, as they run side by side: two of one thread take 0.7 times as long
        as one after the other of two.
        """
        compute = self.settings_of(wildcards).compute
        if compute.accelerator != "cpu":
            return 2 + 2 * compute.workers
        return 1 if getattr(wildcards, "round", None) and len(self.benchmark_of(wildcards).methods) > 1 else 2

    def training_mb(self, wildcards: Wildcards, attempt: int) -> int:
        """Memory of a training, which on a CPU holds the activations too; and of the processes that read images."""
        compute = self.settings_of(wildcards).compute
        activations = ACTIVATIONS_MB * self._megapixels(wildcards) if compute.accelerator == "cpu" else 4_000
        return round(attempt * (3_000 + 2_000 * compute.workers + activations))

    def training_minutes(self, wildcards: Wildcards, attempt: int) -> int:
        """Time for all iterations, start included."""
        iterations = self._schedule(wildcards).iterations * self.settings_of(wildcards).training.accumulate
        seconds = iterations * self._megapixels(wildcards) / SLOWEST[self.gpus(wildcards) > 0]
        return min(attempt * round(30 + seconds / 60), LONGEST)

    def _schedule(self, wildcards: Wildcards) -> SourceSettings | RoundSettings:
        training = self.settings_of(wildcards).training
        return training.round if getattr(wildcards, "round", None) else training.source

    def _megapixels(self, wildcards: Wildcards) -> float:
        """Of the images of one batch; `crop: whole` counts as images of 1024x1024."""
        width, height = crop_wh(self.settings_of(wildcards).training.crop) or (1024, 1024)
        schedule = self._schedule(wildcards)
        return (schedule.source_batch + schedule.target_batch) * width * height / 1e6

    def growing(self, amount: int) -> Callable[[Wildcards, int], int]:
        """A function of the wildcards and the attempt: ``amount``, and that much more in each further attempt."""

        def grown(wildcards: Wildcards, attempt: int) -> int:
            return amount * attempt

        return grown

    def launcher(self, wildcards: Wildcards, threads: int, resources: Any) -> str:
        """What starts a training: with the resource ``mpi`` a process per GPU on ``nodes`` nodes, else one process.

        In a job of Slurm that process is a step of its own: Slurm ends a job by SIGTERM to its steps, and to nothing
        that the batch script has started itself, so that a training would be killed without having saved its state.
        """
        starter = resources.get("mpi")
        if not starter:
            step = f"srun --overlap --ntasks=1 --cpus-per-task={threads} --mem=0 --cpu-bind=q"
            return f'$([ -n "${{SLURM_JOB_ID:-}}" ] && command -v srun > /dev/null && echo {step}) '
        nodes = resources.get("nodes", 1)
        return f"{starter} --nodes={nodes} --ntasks-per-node={max(resources.gpu // nodes, 1)} "
