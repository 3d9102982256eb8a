"""Snakemake in a checkout, which also records the roots of every code digest that planning computes."""

import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Runs `snakemake` with the arguments of this process."""
    sys.path[:0] = [str(Path("workflow").resolve()), str(Path().resolve())]
    from planning import digest
    from snakemake.cli import main as snakemake

    code_digest, roots = digest.code_digest, {}

    def recording(*modules: str, **facts: Any) -> str:
        value = code_digest(*modules, **facts)
        roots[value] = modules
        return value

    digest.code_digest = recording
    try:
        snakemake(sys.argv[1:])
    finally:
        Path(os.environ["RECORDED"], f"roots{os.getpid()}.json").write_text(json.dumps(roots))


if __name__ == "__main__":
    main()
