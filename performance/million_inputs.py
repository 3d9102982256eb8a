"""The inputs of ``performance.million``: links to small images, shards of one pixel, and a manifest."""

import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from esl.data.class_sets import CLASS_SETS
from esl.files import write_json
from esl.labels.confidence import INTERPOLATION
from esl.labels.shard import Origin, write_shard

SIZE_WH = (64, 32)
PER_FOLDER = 1_000


def write_inputs(folder: Path, images: int, shards: int, links: int) -> None:
    """A data set of photographs without labels, maps and the manifest of a round, below ``folder``."""
    rng = np.random.default_rng(0)
    originals = []
    for number in range(1 + images // links):
        original = folder / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (*SIZE_WH[::-1], 3), dtype=np.uint8)).save(original)
        originals.append(original)
    ids = []
    for number in range(images):
        town = f"town{number // PER_FOLDER:04d}"
        at = folder / "photos/train" / town
        if number % PER_FOLDER == 0:
            at.mkdir(parents=True)
        ids.append(f"{town}_{number % PER_FOLDER:06d}")
        os.link(originals[number // links], at / f"{ids[-1]}.png")
    val = folder / "photos/val"
    val.mkdir(parents=True)
    os.link(originals[0], val / "0.png")
    _write_maps(folder / "maps", shards, rng)
    files = {id_: {"sha256": "0" * 64, "kept": 0.5} for id_ in ids}
    write_json(folder / "pseudo_labels.json", {"kept": 0.5, "files": files})


def _write_maps(folder: Path, shards: int, rng: np.random.Generator) -> None:
    """Shards of one image each, whose histograms are as large as those of any."""
    classes = CLASS_SETS["cityscapes19"].classes
    measures = ("confidence", "entropy")
    for number in range(1, shards + 1):
        path = folder / f"{number}-of-{shards}.h5"
        with write_shard(path, 1, Origin(classes, "0" * 64, INTERPOLATION, ()), stored=(), counted=measures) as writer:
            maps = {name: rng.integers(0, 65536, (64, 128)).astype(np.uint16) for name in measures}
            maps["label"] = rng.integers(0, 19, (64, 128)).astype(np.uint8)
            maps["probability"] = np.zeros((19, 8, 16), np.float16)
            writer.append(writer.pack(f"image{number}", maps))


if __name__ == "__main__":
    write_inputs(Path(sys.argv[1]), *map(int, sys.argv[2:]))
