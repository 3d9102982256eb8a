"""Several GPUs in one machine, without a scheduler: `--resources gpu=4` runs four jobs, each on a GPU of its own."""

import json
from itertools import combinations
from pathlib import Path

import pytest

from tests.workflow.conftest import Project

FAKE = '''
"""Every stage of this project believes that the machine has four GPUs; what runs on one of them is noted."""
import ctypes, json, os, sys, time
from pathlib import Path

class CDLL(ctypes.CDLL):
    def __new__(cls, name, *others, **more):
        return Driver() if name == "libcuda.so.1" else super().__new__(cls)
class Driver:
    def cuInit(self, flags):
        return 0
    def cuDeviceGetCount(self, count):
        count._obj.value = 4
        return 0
ctypes.CDLL = CDLL

if any(word.startswith("esl.stages.") for word in sys.orig_argv):
    import atexit, lightning_fabric, torch

    torch.cuda.is_available = lambda: sys._getframe(1).f_globals["__name__"] == "esl.stages.device"
    class Fabric(lightning_fabric.Fabric):
        def __init__(self, *, devices, accelerator, **others):
            super().__init__(devices=1, accelerator="cpu", **others)
            if isinstance(devices, list):
                atexit.register(note, devices, time.time())
                if "esl.stages.infer" in sys.orig_argv:
                    wait_for_others()
    notes = Path(os.environ["NOTES"])
    def wait_for_others():
        (notes / f"{os.getpid()}.begun").touch()
        latest = time.time() + 60
        while (begun := len([*notes.glob("*.begun")])) < 8 and time.time() < latest:
            if begun - len([*notes.glob("*.json")]) >= 4:
                break
            time.sleep(0.2)
    def note(devices, begin):
        if "esl.stages.infer" in sys.orig_argv:
            content = {"devices": devices, "begin": begin, "end": time.time()}
            (notes / f"{os.getpid()}.json").write_text(json.dumps(content))
    lightning_fabric.Fabric = Fabric
'''


@pytest.mark.slow
def test_four_gpus_have_a_job_each_and_none_has_two(
    fresh: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("fake", "notes", "tmp"):
        (tmp_path / folder).mkdir()
    (tmp_path / "fake/sitecustomize.py").write_text(FAKE)
    for name, value in {
        "PYTHONPATH": tmp_path / "fake", "NOTES": tmp_path / "notes", "TMPDIR": tmp_path / "tmp",
        "CUDA_VISIBLE_DEVICES": "0,1,2,3",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    change = {
        "benchmarks": {"gta2city": {"compute": {"accelerator": "cuda", "workers": 0}, "inference": {"shards": 8}}}
    }
    targets = ["results/gta2city/esl-round1/thresholds.json"]
    run = fresh.snakemake("--resources", "gpu=4", "--cores", "8", change=change, targets=targets)
    assert run.returncode == 0, run.stdout + run.stderr
    shards = [json.loads(path.read_text()) for path in (tmp_path / "notes").glob("*.json")]
    assert len(shards) == 8
    assert {tuple(note["devices"]) for note in shards} == {(0,), (1,), (2,), (3,)}
    moments = [note["begin"] for note in shards]
    assert max(sum(note["begin"] <= moment < note["end"] for note in shards) for moment in moments) == 4
    for first, second in combinations(shards, 2):
        same = first["devices"] == second["devices"]
        assert not same or first["end"] <= second["begin"] or second["end"] <= first["begin"]
