"""datumaro, which CVAT imports and exports with, in an environment of its own: it needs an older Pillow and pandas.

`make datumaro` makes the environment; the variable DATUMARO_PYTHON names the interpreter of another one.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.configs import PROJECT

CONVERT = """
import sys
from datumaro.components.dataset import Dataset
source, kind, output = sys.argv[1:]
Dataset.import_from(source, "voc_segmentation").export(output, kind, save_media=False)
"""


def converted(source: Path, kind: str, output: Path) -> Path:
    """A folder in Pascal VOC's layout, imported by datumaro and exported as ``kind``; skips the test without it."""
    python = Path(os.environ.get("DATUMARO_PYTHON", PROJECT / ".venv-datumaro/bin/python"))
    if not python.exists():
        if os.environ.get("REQUIRE_DATUMARO"):
            pytest.fail(f"{python}: no such file; run make datumaro")
        pytest.skip("datumaro is not installed: make datumaro")
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [str(python), "-c", CONVERT, str(source), kind, str(output)]
    run = subprocess.run(words, env=own, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return output
