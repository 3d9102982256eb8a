"""The environment of jobs: the packages of this checkout, and whom they end with."""

import os
import sys

from esl.stages.command import SNAKEMAKE
from planning.digest import PROJECT


def refuse_braces() -> None:
    """Ends planning where the path of the checkout has braces: Snakemake takes what is in them for a wildcard."""
    if "{" in str(PROJECT) or "}" in str(PROJECT):
        sys.exit(f"error: {PROJECT}: Snakemake cannot run a workflow whose path has braces; rename the folder")


def let_jobs_import_this_checkout() -> None:
    """Puts the checkout on PYTHONPATH: jobs may run in another folder, and in an environment without the package.

    Where another workflow uses this one as a module, they still run the code beside this workflow.
    """
    others = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(PROJECT), *others]))


def let_jobs_end_with_this_process() -> None:
    """Jobs on this machine end when this ``snakemake`` is killed: the next one would start them again beside them."""
    os.environ[SNAKEMAKE] = str(os.getpid())
