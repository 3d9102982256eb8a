"""Records the modules of the project that a stage has imported, when it ends; Python reads this file when it starts."""

import atexit
import json
import os
import sys
from pathlib import Path


def _record() -> None:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is not None and "--output" in sys.argv and spec.name.split(".")[0] == "esl":
        output = sys.argv[sys.argv.index("--output") + 1]
        modules = sorted(name for name in sys.modules if name.split(".")[0] in ("esl", "miniature"))
        record = {"output": output, "modules": [*modules, spec.name]}
        Path(os.environ["RECORDED"], f"{os.getpid()}.json").write_text(json.dumps(record))


if "RECORDED" in os.environ:
    atexit.register(_record)
