"""A correction of Snakemake 9: jobs behind `ancient` inputs keep their own reasons to run.

Snakemake assumes that every job downstream of a due one runs as well, and does not look at its own reasons: changed
params, changed inputs, missing outputs. Afterwards it leaves out all jobs that depend on the due one through `ancient`
inputs alone (`DAG.update_needrun`, since pull request snakemake#668; seen in 9.27). Their own reasons are lost for this
run: after a corrected validation label and a changed bound, the label would be indexed again and the bound ignored,
without a word. Here `ancient` inputs do not count as downstream, so that Snakemake looks at these jobs.

Upstream, issue snakemake#4166 (open, reported for 9.19) describes wrong plans around `ancient`. A test fails as soon as
Snakemake plans right by itself: then this module can go.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial, wraps
from typing import Any

import snakemake
import snakemake.api  # importing snakemake.dag first fails: circular import
from snakemake.dag import DAG

Job = Any

REPLACED = ("update_needrun", "bfs", "depending")
"""Names of Snakemake's `DAG` that the correction needs."""


def respect_reasons_behind_ancient_inputs() -> None:
    """Makes every DAG of this process ask jobs behind `ancient` inputs for their own reasons; once is enough."""
    known = {*dir(DAG), *DAG.__init__.__code__.co_names}
    if missing := [name for name in REPLACED if name not in known]:
        sys.exit(
            f"error: planning/ancient.py corrects Snakemake 9, but Snakemake {snakemake.__version__} has no"
            f" DAG.{missing[0]}; install 'snakemake>=9.20,<10'"
        )
    update_needrun = DAG.update_needrun
    if hasattr(update_needrun, "__wrapped__"):
        return

    @wraps(update_needrun)
    async def update(self: Any, *arguments: Any, **options: Any) -> None:
        self.bfs = partial(_downstream, self.depending)
        try:
            await update_needrun(self, *arguments, **options)
        finally:
            del self.bfs

    DAG.update_needrun = update


def _downstream(
    depending: Mapping[Job, Mapping[Job, set[Any]]],
    direction: Mapping[Job, Mapping[Job, set[Any]]],
    *jobs: Job,
    stop: Callable[[Job], bool] = lambda job: False,
) -> Iterator[Job]:
    """Walks as ``DAG.bfs``; in the direction ``depending`` not through files that are all `ancient`."""
    waiting = deque(jobs)
    visited = set(waiting)
    while waiting:
        job = waiting.popleft()
        if stop(job):
            continue
        yield job
        for other, files in direction[job].items():
            waits_only = direction is depending and all(file.is_ancient for file in files)
            if other not in visited and not waits_only:
                waiting.append(other)
                visited.add(other)
