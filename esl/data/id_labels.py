"""The ids in a label file, however a tool has saved them: what can mean only one thing is read, the rest refused."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from esl.data.decoding import SIGNATURE, chunks, decode
from esl.errors import InputError

TIFF_BITS, TIFF_WHITE = 258, 262
"""The tags of the bits of a channel, and of what 0 means (TIFF 6.0, BitsPerSample, PhotometricInterpretation)."""

INDEXED = 3
"""The colour type of a PNG with a palette (PNG specification, 11.2.2)."""


def decode_lossless(path: Path, content: bytes) -> Image.Image:
    """The image in a label file.

    Raises:
        InputError: as ``decode``; or the file is compressed with loss, which mixes ids and colours where they meet.
    """
    image = decode(path, content)
    lossy_webp = image.format == "WEBP" and content[12:16] == b"VP8 "  # the lossless one is "VP8L"
    if image.format in ("JPEG", "MPO") or lossy_webp or image.info.get("compression") in ("jpeg", "webp"):
        raise InputError(
            f"{path}: a label saved with loss ({image.format}), which makes up ids and colours where classes meet; "
            "export the labels again as PNG"
        )
    return image


def plain_ids(path: Path, content: bytes) -> NDArray[np.uint8]:
    """Ids (H, W): indices of a palette, grey values of 1 to 32 bits, or the same value in all three channels of RGB.

    Alpha is dropped. The values of 1, 2 and 4 bits are ids as they are (Pillow stretches grey to 0 ... 255).

    Raises:
        InputError: as ``decode_lossless``; or the pixels are colours, floating-point numbers, ids above 255, or ids
            that could be meant inverted.
    """
    image = decode_lossless(path, content)
    if image.mode == "P":
        return np.asarray(image)
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8)
    bits = channel_bits(image, content)
    if getattr(image, "tag_v2", {}).get(TIFF_WHITE) == 0:
        raise InputError(
            f"{path}: a TIFF whose 0 is white, so that its ids could be meant inverted; save the labels as PNG"
        )
    if image.format == "BMP" and image.mode == "L" and content[28] == 4:  # which Pillow misreads
        raise InputError(f"{path}: a grey BMP of 4 bits, which is not read; save the labels as PNG")
    if image.mode == "L":
        return np.asarray(image) // np.uint8({2: 85, 4: 17}.get(bits, 1))
    if image.mode.startswith("I"):
        return _bytes(path, np.asarray(image))
    if image.mode in ("LA", "RGB", "RGBA") and bits <= 8:
        pixels = np.asarray(image)
        if image.mode == "LA" or (pixels[..., :1] == pixels[..., :3]).all():
            return pixels[..., 0]
        if not pixels[..., 1:3].any():
            raise InputError(
                f"{path}: expected a label of 8-bit ids, but only the red channel holds values, as CARLA saves ids; "
                "add `channel: red` next to `ids` in the declaration"
            )
    depth = f"{image.mode} of {bits} bits" if bits > 8 else image.mode
    raise InputError(
        f"{path}: expected a label of 8-bit ids (palette or grey PNG), but got mode {depth}; a colour image holds no "
        "ids: use the dataset's id labels, or declare `colours` (or `channel: red` for ids in the red channel)"
    )


def red_ids(path: Path, content: bytes) -> NDArray[np.uint8]:
    """Ids (H, W) in the red channel of RGB or RGBA, as CARLA saves them; the other channels say nothing of classes.

    Raises:
        InputError: as ``decode_lossless``; or the image is not RGB of 8 bits.
    """
    image = decode_lossless(path, content)
    bits = channel_bits(image, content)
    if image.mode not in ("RGB", "RGBA") or bits > 8:
        raise InputError(
            f"{path}: expected RGB of 8 bits with ids in the red channel, but got mode {image.mode} of {bits} bits; "
            "leave out `channel` for labels of ids alone"
        )
    return np.asarray(image)[..., 0]


def has_grey_palette(content: bytes) -> bool:
    """Whether a PNG's palette holds greys alone, but not those of its indices, as tools make it of grey ids.

    The indices are read: the greys are colours. A mask of black and white is none of these.
    """
    if not content.startswith(SIGNATURE) or content[25] != INDEXED:
        return False
    try:
        palette = next(data for kind, data in chunks(content) if kind == b"PLTE")
        colours = np.frombuffer(palette, dtype=np.uint8).reshape(-1, 3)
    except (StopIteration, ValueError):  # a damaged one, which Pillow may read all the same
        return False
    greys: list[int] = colours[:, 0].tolist()
    grey = bool((colours == colours[:, :1]).all())
    return grey and greys != [*range(len(greys))] and sorted(greys) != [0, 255]


def channel_bits(image: Image.Image, content: bytes) -> int:
    """The bits of a channel: by the header of a PNG (PNG specification, 11.2.2) or the tag of a TIFF, otherwise 8."""
    if content.startswith(SIGNATURE):
        return content[24]
    bits: tuple[int, ...] = getattr(image, "tag_v2", {}).get(TIFF_BITS, (8,))
    return max(bits)


def _bytes(path: Path, ids: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Ids of more than 8 bits that fit into 8."""
    lowest, highest = int(ids.min(initial=0)), int(ids.max(initial=0))
    if lowest < 0 or highest > 255:
        strange = lowest if lowest < 0 else highest
        raise InputError(
            f"{path}: holds the id {strange}, but expected ids from 0 to 255; if these are instances, use the labels "
            "of classes"
        )
    return ids.astype(np.uint8)
