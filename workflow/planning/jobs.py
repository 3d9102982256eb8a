"""Job environment: the import path, and the end of jobs together with the ``snakemake`` that started them."""

import os
import sys

from esl.stages.command import SNAKEMAKE
from planning.digest import PROJECT


def refuse_braces() -> None:
    """Ends planning where the path of the checkout has braces, which Snakemake takes for a wildcard."""
    if "{" in str(PROJECT) or "}" in str(PROJECT):
        sys.exit(f"error: {PROJECT}: Snakemake cannot run a workflow whose path has braces; rename the folder")


def let_jobs_import_this_checkout() -> None:
    """Puts the checkout on PYTHONPATH: jobs may run in another folder, and in an environment without the package.

    Where another workflow uses this one as a module, they still run the code next to this workflow.
    """
    others = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(PROJECT), *others]))


def let_jobs_end_with_this_process() -> None:
    """Has jobs on this machine end when this ``snakemake`` is killed; otherwise the next one would run them twice."""
    os.environ[SNAKEMAKE] = str(os.getpid())
