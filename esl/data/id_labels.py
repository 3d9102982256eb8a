"""Reads label ids from any unambiguous encoding; refuses ambiguous files."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from esl.classes import Colour, IdTable
from esl.data.decoding import decode
from esl.data.png16 import SIGNATURE, chunks, first_of_16_bits, has_16_bit_channels
from esl.errors import InputError

INDEXED = 3
"""The colour type of a PNG with a palette (PNG specification, 11.2.2)."""

SHOWN_COLOURS = 8
"""The most unknown colours in an error."""


def decode_ids(path: Path, content: bytes, table: IdTable) -> NDArray[np.uint8]:
    """The bytes of a label file as raw ids (H, W) uint8, in the encoding of ``table``: see ``classes.Encoding``.

    Raises:
        InputError: the file is damaged or saved with loss, or holds colours instead of ids, ids instead of colours, an
            unknown colour, or ids above 255.
    """
    if table.encoding == "colours":
        return ids_of_colours(
            path,
            content,
            table.colours,
            for_ids="declare `ids` instead of `colours` for labels of ids",
            for_others="add them to `colours`, as `unlabeled` to ignore them",
        )
    if table.encoding == "red":
        return red_ids(path, content)
    if table.encoding == "first_of_16_bits" and has_16_bit_channels(content):
        return deep_ids(path, content)
    return plain_ids(path, content)


def unknown_ids(ids: NDArray[np.uint8], table: IdTable) -> list[int]:
    """The ids in ``ids`` but not in ``table``, in ascending order."""
    present = np.bincount(ids.ravel(), minlength=256) > 0
    return [int(id_) for id_ in np.flatnonzero(present & ~table.known)]


def decode_lossless(path: Path, content: bytes) -> Image.Image:
    """The image in a label file.

    Raises:
        InputError: as ``decode``; or the file is compressed with loss, so that ids and colours mix at borders.
    """
    image = decode(path, content)
    lossy_webp = image.format == "WEBP" and content[12:16] == b"VP8 "  # the lossless one is "VP8L"
    if image.format in ("JPEG", "MPO") or lossy_webp or image.info.get("compression") in ("jpeg", "webp"):
        raise InputError(
            f"{path}: a label saved with loss ({image.format}), so that ids and colours are wrong near borders of "
            "classes; export the labels again as PNG"
        )
    return image


def plain_ids(path: Path, content: bytes) -> NDArray[np.uint8]:
    """Ids (H, W): indices of a palette, grey values of 1 to 32 bits, or the same value in all three channels of RGB.

    Alpha is dropped. The values of 1, 2 and 4 bits are ids as they are (Pillow stretches grey to 0 ... 255).

    Raises:
        InputError: as ``decode_lossless``; or the pixels are colours, floating-point numbers, ids above 255, or
            possibly inverted ids.
    """
    image = decode_lossless(path, content)
    if image.mode == "P":
        return np.asarray(image)
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8)
    bits = channel_bits(image, content)
    if getattr(image, "tag_v2", {}).get(ExifTags.Base.PhotometricInterpretation) == 0:
        raise InputError(f"{path}: a TIFF with 0 as white: its ids could be meant inverted; save the labels as PNG")
    if image.format == "BMP" and image.mode == "L" and content[28] == 4:  # Pillow misreads it
        raise InputError(f"{path}: a grey BMP of 4 bits is not read; save the labels as PNG")
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
    """Ids (H, W) in the red channel of RGB or RGBA, as CARLA saves them; the other channels are ignored.

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


def deep_ids(path: Path, content: bytes) -> NDArray[np.uint8]:
    """Ids (H, W) in the first of three 16-bit channels, as SYNTHIA saves them.

    Raises:
        InputError: as ``first_of_16_bits``; or an id is above 255.
    """
    ids = first_of_16_bits(path, content)
    if ids.max(initial=0) > 255:
        raise InputError(f"{path}: holds ids up to {ids.max()}, but no dataset has any above 255; obtain it again")
    return ids.astype(np.uint8)


def ids_of_colours(
    path: Path,
    content: bytes,
    known: Mapping[Colour, int],
    *,
    for_ids: str,
    for_others: str,
) -> NDArray[np.uint8]:
    """The id (H, W) of every pixel's colour; the colours of a palette count as colours.

    Raises:
        InputError: as ``decode_lossless``; or the pixels hold no colours (the message ends with ``for_ids``), or other
            colours than those ``known`` (it ends with ``for_others``).
    """
    image = decode_lossless(path, content)
    if image.mode not in ("RGB", "RGBA", "P"):
        raise InputError(
            f"{path}: expected a label of colours (RGB or palette PNG), but got mode {image.mode}; {for_ids}"
        )
    pixels = _packed(np.asarray(image.convert("RGB")))
    colours = sorted(known)
    ids = np.array([known[colour] for colour in colours], dtype=np.uint8)
    packed = _packed(np.array(colours, dtype=np.uint8))  # sorted, since colours are
    place = np.searchsorted(packed, pixels).clip(max=len(packed) - 1)
    if (strange := packed[place] != pixels).any():
        values = [int(value) for value in np.unique(pixels[strange])]
        names = ", ".join(str((value >> 16, value >> 8 & 255, value & 255)) for value in values[:SHOWN_COLOURS])
        more = f" and {len(values) - SHOWN_COLOURS} more" if len(values) > SHOWN_COLOURS else ""
        raise InputError(f"{path}: colours {names}{more} belong to no label; {for_others}")
    return np.asarray(ids[place])


def _packed(colours: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """RGB (..., 3) uint8 as one number each: red, green, blue from the highest byte down."""
    wide = colours.astype(np.uint32)
    return np.asarray(wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2], dtype=np.uint32)


def has_grey_palette(content: bytes) -> bool:
    """Whether a PNG's palette holds only greys, other than its indices: tools make such palettes of grey ids.

    ``plain_ids`` reads the indices. The palette of a black and white mask does not count.
    """
    if not content.startswith(SIGNATURE) or content[25] != INDEXED:
        return False
    try:
        palette = next(data for kind, data in chunks(content) if kind == b"PLTE")
        colours = np.frombuffer(palette, dtype=np.uint8).reshape(-1, 3)
    except (StopIteration, ValueError):  # damaged, but Pillow may read it all the same
        return False
    greys: list[int] = colours[:, 0].tolist()
    grey = bool((colours == colours[:, :1]).all())
    return grey and greys != [*range(len(greys))] and sorted(greys) != [0, 255]


def channel_bits(image: Image.Image, content: bytes) -> int:
    """The bits of a channel: by the header of a PNG (PNG specification, 11.2.2) or the tag of a TIFF, otherwise 8."""
    if content.startswith(SIGNATURE):
        return content[24]
    bits: tuple[int, ...] = getattr(image, "tag_v2", {}).get(ExifTags.Base.BitsPerSample, (8,))
    return max(bits)


def _bytes(path: Path, ids: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Ids of more than 8 bits as uint8; InputError if one does not fit."""
    lowest, highest = int(ids.min(initial=0)), int(ids.max(initial=0))
    if lowest < 0 or highest > 255:
        strange = lowest if lowest < 0 else highest
        raise InputError(
            f"{path}: holds the id {strange}, but expected ids from 0 to 255; if these are instances, use the labels "
            "of classes"
        )
    return ids.astype(np.uint8)
