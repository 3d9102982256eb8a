"""Requirements of a benchmark before its first job: data, lists, weights, a device; all gaps are reported at once."""

import ctypes
import json
import platform
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from esl.models.pretrained import missing_weights
from miniature.settings import LAYOUTS
from planning.benchmark import PARTS, Benchmark
from planning.rounds import every_pretrained

MINIATURE = Path("data/miniature")

_ROOT = re.compile(r'"root": ("(?:[^"\\]|\\.)*")')


def is_rendered(root: Path) -> bool:
    """Whether the project renders the dataset in ``root`` itself."""
    return root.parent.parent == MINIATURE and root.name in LAYOUTS


def missing_requirements(name: str, benchmark: Benchmark, results: Path) -> Iterator[str]:
    """One line for everything that the benchmark called ``name`` lacks: what, where, and how to get it."""
    key = f"benchmarks.{name}"
    for domain, data in (("source", benchmark.source), ("target", benchmark.target)):
        root = Path(data.root)
        if not root.is_dir() and not is_rendered(root):
            yield (
                f"{key}.{domain}.root: no such folder: {root}; download the dataset and unpack it there, or correct "
                "the path"
            )
        for split in ("split", "train_split", "val_split"):
            list_ = getattr(data, split, "")
            if list_.endswith(".txt") and not any(path.is_file() for path in (root / list_, Path(list_))):
                yield f"{key}.{domain}.{split}: no such list file: {list_}, neither in {root} nor in the working folder"
    for own_key, network, pretrained in every_pretrained(benchmark):
        if missing := missing_weights(network, pretrained):
            yield f"{key}.{own_key}: {missing.text}"
    if benchmark.training.tensorboard and find_spec("tensorboard") is None:
        yield f"{key}.training.tensorboard: TensorBoard is not installed (pip install 'esl[tensorboard]')"
    yield from _results_of_other_data(key, benchmark, results)


def _results_of_other_data(key: str, benchmark: Benchmark, results: Path) -> Iterator[str]:
    """Results of other data are never overwritten, such as the miniature's by those of a full-scale overlay."""
    for domain in ("source", "target"):
        root = Path(getattr(benchmark, domain).root)
        indices = [results / "data" / f"{name}.json" for name, part in PARTS.items() if part.domain == domain]
        recorded = {index: _recorded_root(index) for index in indices if index.is_file()}
        if other := next((index for index, before in recorded.items() if before not in (None, root)), None):
            yield (
                f"{results} holds results of {recorded[other]}, but {key}.{domain}.root is {root}. Did you forget a "
                f"--configfile, or pass one too many? To keep both, rename the folder {results}; if the same data "
                f"have moved, delete {other}"
            )


def _recorded_root(index: Path) -> Path | None:
    """The root in an index, which is near the beginning of a file of up to many megabytes."""
    with index.open(encoding="utf-8") as file:
        match = _ROOT.search(file.read(10_000))
    return Path(json.loads(match[1])) if match else None


def missing_device(name: str, benchmark: Benchmark) -> Iterator[str]:
    """A line when this machine has no such accelerator; not for jobs that run on other machines."""
    accelerator = benchmark.compute.accelerator
    if accelerator == "cuda" and not _has_cuda():
        present = "no CUDA GPU"
    elif accelerator == "mps" and platform.system() != "Darwin":
        present = "no Apple GPU"
    else:
        return
    yield (
        f"benchmarks.{name}.compute.accelerator: {accelerator}, but this machine has {present}; set it to cpu or auto, "
        "or run on a machine that has one"
    )


def _has_cuda() -> bool:
    """Whether the CUDA driver finds a device; PyTorch would take seconds to import."""
    count = ctypes.c_int(0)
    try:
        driver = ctypes.CDLL("libcuda.so.1" if platform.system() != "Windows" else "nvcuda.dll")
    except OSError:
        return False
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
