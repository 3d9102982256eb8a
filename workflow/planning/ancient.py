"""A correction of Snakemake 9: jobs behind `ancient` inputs keep their own reasons to run.

Snakemake assumes that every job downstream of a due one runs as well, and does not look at its own reasons: changed
params, changed inputs, missing outputs. Afterwards it does not start those that depend on the due job through `ancient`
inputs alone. Their own reasons are lost for this run: where a validation label was corrected and a bound changed, the
label would be indexed again and the bound ignored, without a word (`DAG.update_needrun`, seen in 9.27). Here `ancient`
inputs do not count as downstream, so that these jobs are looked at.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial, wraps
from typing import Any

import snakemake.api  # noqa: F401  (snakemake.dag, imported first, would find itself half-made)
from snakemake.dag import DAG

Job = Any


def respect_reasons_behind_ancient_inputs() -> None:
    """Has every DAG of this process ask jobs behind `ancient` inputs for their own reasons; once is enough."""
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
    """As ``DAG.bfs``; in the direction ``depending`` not through files that are all `ancient`."""
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
