"""Renders scenes into the files of their layout."""

import struct
import sys
import zlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.label_tables.gta5 import GTA5_LABELS
from esl.data.label_tables.synthia import SYNTHIA_LABELS
from esl.files import atomic_path
from miniature.layouts import SceneFiles
from miniature.render import render_street
from miniature.settings import MiniatureSettings
from miniature.vistas import VISTAS_COLOURS, vistas_ids

_JPEG_QUALITY = 92


def write_scenes(
    scenes: list[SceneFiles], root: Path, settings: MiniatureSettings, *, seed: int, workers: int
) -> NDArray[np.int64]:
    """Renders ``scenes`` into ``root``, each file atomically; the bytes do not depend on ``workers``.

    Returns the pixels of every Cityscapes label id over all scenes, (256,) int64.
    """
    write = partial(_write_scene, root=root, settings=settings, seed=seed)
    pixels = np.zeros(256, dtype=np.int64)
    progress = partial(tqdm, total=len(scenes), desc="rendering", unit=" images", file=sys.stderr, mininterval=1.0)
    if workers <= 1:
        for counts in progress(map(write, scenes)):
            pixels += counts
        return pixels
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for counts in progress(pool.map(write, scenes, chunksize=8)):
            pixels += counts
    return pixels


def _write_scene(scene: SceneFiles, *, root: Path, settings: MiniatureSettings, seed: int) -> NDArray[np.int64]:
    """Renders and writes one scene; returns its pixels of every label id, (256,) int64."""
    width, height = scene.size_wh(settings.width, settings.height)
    image, label = render_street(
        scene.domain, seed=seed, index=scene.index, width=width, height=height, shift=settings.shift
    )
    _save(Image.fromarray(image), root / scene.image)
    if scene.layout == "synthia":
        _save_as_synthia(label, root / scene.label)
    elif scene.layout == "mapillary":
        _save(_indexed(vistas_ids()[label], VISTAS_COLOURS), root / scene.label)
    elif scene.layout == "gta5":
        _save(_indexed(label, [item.colour for item in GTA5_LABELS]), root / scene.label)
    else:
        _save(Image.fromarray(label), root / scene.label)
    return np.bincount(label.ravel(), minlength=256)


def _indexed(ids: NDArray[np.uint8], colours: list[tuple[int, int, int]]) -> Image.Image:
    """Ids (H, W) as an indexed image in the colours of the ids; ids without a colour are black."""
    image = Image.fromarray(ids)
    flat = [channel for colour in colours for channel in colour]
    image.putpalette(flat + [0] * (3 * 256 - len(flat)))
    return image


def _save(image: Image.Image, path: Path) -> None:
    with atomic_path(path) as part:
        if path.suffix == ".jpg":
            image.save(part, format="JPEG", quality=_JPEG_QUALITY)
        else:
            image.save(part, format="PNG", compress_level=4)


def _save_as_synthia(label: NDArray[np.uint8], path: Path) -> None:
    """Cityscapes label ids (H, W) as a PNG of three 16-bit channels: SYNTHIA's id, instance (none), nothing.

    Neither Pillow nor torchvision writes such a PNG (PNG specification: 5.3 for chunks, 9.2 for filter 0).
    """
    synthia_ids = {label.name: label.id for label in SYNTHIA_LABELS}
    table = np.zeros(256, dtype=">u2")  # labels without a name in SYNTHIA are void
    for item in CITYSCAPES_LABELS:
        table[item.id] = synthia_ids.get(item.name, 0)
    height, width = label.shape
    channels = np.zeros((height, width, 3), dtype=">u2")
    channels[..., 0] = table[label]
    rows = b"".join(b"\0" + row.tobytes() for row in channels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 4)), (b"IEND", b""))
    with atomic_path(path) as part:
        part.write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + b"".join(
                struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
                for kind, body in chunks
            )
        )
