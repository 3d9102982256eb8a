"""The export of a target image: its pseudo-label at the image's own size, and the confidence of the teacher."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from esl.data.images import read_label
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.labels.fixed_point import TOP
from esl.labels.manifest import read_manifest
from esl.labels.png import checked_files, train_id_table
from esl.labels.shard import open_shard

CONFIDENCE = "confidence"
"""The measure that objects are scored by: the maximum probability, which every tool calls confidence."""


@dataclass(frozen=True)
class Item:
    """One target image."""

    sample: IndexedSample
    image: Path
    label: NDArray[np.uint8]  # (H, W) trainIds, IGNORE where there is no pseudo-label; the image's own size
    confidence: NDArray[np.float32]  # (H, W) maximum probability of the teacher, in [0, 1]; the same size

    @property
    def name(self) -> str:
        """The image's path from the root without its ending, with `/` between folders."""
        return self.sample.image.rpartition(".")[0]


def items(index: Index, manifest: Path, maps: list[Path]) -> Iterator[Item]:
    """Every image of the shards ``maps``, with its pseudo-label of ``manifest`` (pseudo_labels.json).

    Raises:
        InputError: a pseudo-label is missing or has changed, the shards hold another image, or no confidence.
    """
    files = checked_files(read_manifest(manifest).files, manifest.with_suffix(""))
    samples, table = {sample.id: sample for sample in index.samples}, train_id_table(index.class_set)
    with tqdm(total=len(files), unit="image", mininterval=5) as bar:
        for path in maps:
            with open_shard(path) as shard:
                for row, id_ in enumerate(shard.ids):
                    if id_ not in files or id_ not in samples:
                        raise InputError(f"{path}: holds {id_!r}, which {manifest} does not; run the workflow again")
                    codes = shard.maps(row, {CONFIDENCE})[CONFIDENCE]
                    size_wh = samples[id_].size_wh
                    label = read_label(files[id_], table, size_wh)
                    confidence = _resized(codes, size_wh).astype(np.float32) / np.float32(TOP)
                    yield Item(samples[id_], index.image(samples[id_]).path, label, confidence)
                    bar.update()


def _resized(codes: NDArray[np.uint16], size_wh: tuple[int, int]) -> NDArray[np.int32]:
    """Codes (h, w) at another size, nearest, like the label."""
    return np.asarray(Image.fromarray(codes.astype(np.int32)).resize(size_wh, Image.Resampling.NEAREST))
