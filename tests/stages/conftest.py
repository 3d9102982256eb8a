"""What tests of the stages share: pseudo-labels without a teacher, and the command line of the train stage."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.files import sha256_of_file, write_json
from esl.labels.png import write_png
from esl.stages.doctor import main as run_doctor
from esl.training.settings import TrainSettings
from tests.contents import whole_manifest


def _words(output: Path, settings: TrainSettings, flags: Mapping[str, object]) -> list[str]:
    """The command line of the stage; a flag with an empty value stands alone."""
    all_ = {"output": output, "threads": 1, "save-every": 200, "settings": settings.canonical(), **flags}
    return [str(word) for name, value in all_.items() for word in (f"--{name}", value) if word != ""]


@pytest.fixture(scope="session")
def train_words() -> Callable[..., list[str]]:
    return _words


def _write_manifest(folder: Path, index: Index, seed: int = 0) -> Path:
    """Random pseudo-labels of every sample, instead of those of a teacher."""
    generator = torch.Generator().manual_seed(seed)
    files = {}
    for sample in index.samples:
        path = folder / "pseudo_labels" / f"{sample.id}.png"
        label = torch.randint(0, 19, (16, 24), generator=generator, dtype=torch.uint8).numpy()
        write_png(path, label, CLASS_SETS["cityscapes19"])
        files[sample.id] = {"sha256": sha256_of_file(path)}
    write_json(folder / "pseudo_labels.json", whole_manifest(files, kept=1.0))
    return folder / "pseudo_labels.json"


@pytest.fixture(scope="session")
def write_manifest() -> Callable[..., Path]:
    return _write_manifest


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs the doctor; returns its exit status and its report."""

    def run(*flags: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            run_doctor([*map(str, flags), "--workers", "1"])
        assert isinstance(ended.value.code, int)
        return ended.value.code, capsys.readouterr().out

    return run
