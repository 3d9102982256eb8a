"""Mistakes in the data: every one is named by its file before anything trains."""

import numpy as np
from PIL import Image


def test_every_defect_of_the_data_is_named_before_training(rendered):
    root = rendered.root / "data/miniature/0"
    labels = sorted((root / "gta5/labels").glob("*.png"))
    truncated = sorted((root / "gta5/images").glob("*.png"))[0]
    truncated.write_bytes(truncated.read_bytes()[:500])
    Image.fromarray(np.full((64, 128), 77, np.uint8)).save(labels[1])
    Image.fromarray(np.full((60, 128), 7, np.uint8)).save(labels[2])
    labels[3].unlink()
    run = rendered.snakemake()
    assert run.returncode != 0
    assert "Traceback" not in run.stderr
    assert not list(rendered.root.glob("results/*/*/checkpoint.pt"))
    assert not list(rendered.root.glob("results/*/*/last.pt"))
    assert "4 defect(s)" in run.stderr
    assert f"images/{truncated.name}: not a readable image" in run.stderr
    assert f"labels/{labels[1].name}: unknown label ids [77]" in run.stderr
    assert f"labels/{labels[2].name}: a label of 128x60 for an image of 128x64" in run.stderr
    assert f"images/{labels[3].name}: an image without its label" in run.stderr
