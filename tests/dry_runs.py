"""Dry-runs of Snakemake, each in a fork of a process that has imported Snakemake, which saves a third of the time."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

IMPORTED = ("PIL.Image", "numpy", "pydantic", "smart_open", "yaml")
"""Packages that a dry-run imports in addition to Snakemake."""


def dry_run(folder: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``python -m snakemake`` with ``arguments``, `--dry-run` among them, in ``folder``."""
    assert "--dry-run" in arguments, "jobs would run as children of the fork's parent"
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    with tempfile.TemporaryDirectory() as outputs:
        request = {"folder": str(folder), "environment": {**environment}, "arguments": arguments, "outputs": outputs}
        server.stdin.write(f"{json.dumps(request)}\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        stdout, stderr = ((Path(outputs) / name).read_text() for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(["snakemake", *arguments], status, stdout, stderr)


@cache
def _server() -> "subprocess.Popen[str]":
    """The process that forks; it ends with this one, when its standard input closes."""
    return subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _serve() -> None:
    """Answers each request, a line of standard input, with the exit status of its dry-run.

    It imports no module of this project: each dry-run takes the ones of its own checkout.
    """
    for name in IMPORTED:
        import_module(name)
    from snakemake import cli

    cli.get_argument_parser()  # imports the plugins
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(**json.loads(line))
            cli.main()
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become(folder: str, environment: dict[str, str], arguments: list[str], outputs: str) -> None:
    """Makes this process look as if it had been started in ``folder`` with these arguments."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["snakemake", *arguments]
    sys.path[0] = folder
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(Path(outputs) / name, os.O_WRONLY | os.O_CREAT), number)


if __name__ == "__main__":
    _serve()
