"""The adapt stage: a checkpoint like any other, which says where it comes from."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.errors import InputError
from esl.files import sha256_of_file, write_json
from esl.models.build import build_network
from esl.models.checkpoint import Description, load_checkpoint, save_checkpoint
from esl.stages.adapt import main
from esl.training.settings import AdaptSettings
from tests.configs import PROJECT

SETTINGS = AdaptSettings.model_validate(
    {
        "seed": 0,
        "target_size": "own",
        "batch_size": 2,
        "augmentation": {"crop": "24x16", "min_scale": 0.5},
        "compute": {"accelerator": "cpu", "precision": "bf16-mixed"},
    }
)


def _adapt(source: Path, output: Path, settings: AdaptSettings = SETTINGS) -> None:
    index = source.with_name("index.json")
    flags = f"--checkpoint {source} --index {index} --output {output} --threads 1 --settings".split()
    main([*flags, settings.canonical()])


@pytest.fixture
def source(tmp_path: Path, small_index: Index) -> Path:
    """A source model with fresh weights, next to the index of its target."""
    write_json(tmp_path / "index.json", small_index.to_json())
    torch.manual_seed(0)
    description = Description(
        "small", "cityscapes19", CLASS_SETS["cityscapes19"].classes, {"iterations": 7}, {"labelled": "abc"}
    )
    save_checkpoint(tmp_path / "source.pt", build_network("small", 19).state_dict(), description)
    return tmp_path / "source.pt"


def test_the_adapted_checkpoint_names_its_origin_and_is_the_same_every_time(
    tmp_path: Path, source: Path, small_index: Index
) -> None:
    for name in ("once.pt", "twice.pt"):
        _adapt(source, tmp_path / name)
    assert (tmp_path / "once.pt").read_bytes() == (tmp_path / "twice.pt").read_bytes()
    network, adapted = load_checkpoint(tmp_path / "once.pt", CLASS_SETS["cityscapes19"])
    assert adapted.settings == {"iterations": 7, "adaptation": "abn"}
    assert adapted.provenance == {
        "labelled": "abc",
        "initial": sha256_of_file(source),
        "target_images": small_index.image_fingerprint(),
    }
    original, _ = load_checkpoint(source, CLASS_SETS["cityscapes19"])
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), original.parameters(), strict=True))


def test_flip_reaches_the_statistics_and_colour_does_not(tmp_path: Path, source: Path) -> None:
    """Colours stay true, whatever the training does to them."""
    for name, changed in (("plain", {}), ("flip", {"flip": 0.0}), ("colour", {"colour": 0.0, "blur": 0.0})):
        augmentation = SETTINGS.augmentation.model_copy(update=changed)
        _adapt(source, tmp_path / f"{name}.pt", SETTINGS.model_copy(update={"augmentation": augmentation}))
    plain, flip, colour = ((tmp_path / f"{name}.pt").read_bytes() for name in ("plain", "flip", "colour"))
    assert plain == colour != flip


@pytest.fixture
def cut_image(source: Path, small_index: Index) -> Path:
    """An image of the source model's target, cut after it was indexed."""
    root = source.parent / "data"
    shutil.copytree(small_index.root, root)
    write_json(source.with_name("index.json"), replace(small_index, root=str(root)).to_json())
    image = root / small_index.samples[0].image
    image.write_bytes(image.read_bytes()[:100])
    return image


def test_an_image_that_is_cut_while_it_is_read_is_named(tmp_path: Path, source: Path, cut_image: Path) -> None:
    with pytest.raises(InputError, match=f"^{cut_image}: changed since it was indexed; run the workflow"):
        _adapt(source, tmp_path / "a.pt")
    assert not (tmp_path / "a.pt").exists()


def test_an_image_that_is_cut_while_workers_read_it_is_one_line_with_its_name(
    tmp_path: Path, source: Path, cut_image: Path
) -> None:
    """In a process of its own, for what its workers print as well."""
    flags = f"--checkpoint {source} --index {tmp_path}/index.json --output {tmp_path}/a.pt --threads 1 --workers 2"
    command = [sys.executable, "-m", "esl.stages.adapt", *flags.split(), "--settings", SETTINGS.canonical()]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert run.returncode == 1 and "Traceback" not in run.stderr, run.stderr
    assert run.stderr.splitlines()[-1].startswith(f"error: {cut_image}: changed since it was indexed; run the workflow")
    assert not (tmp_path / "a.pt").exists()
