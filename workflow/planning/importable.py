"""The packages of this checkout, importable by every job."""

import os

from planning.digest import PROJECT


def let_jobs_import_this_checkout() -> None:
    """Puts the checkout on PYTHONPATH: jobs may run in another folder, and in an environment without the package.

    Where another workflow uses this one as a module, they still run the code beside this workflow.
    """
    others = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(PROJECT), *others]))
