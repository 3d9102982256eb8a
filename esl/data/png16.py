"""Reads PNGs of three 16-bit channels, as SYNTHIA's labels are; Pillow silently drops their low bytes.

Section numbers refer to the PNG specification.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl.data.decoding import check_size
from esl.errors import InputError, one_line

SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""The first bytes of every PNG."""


def has_16_bit_channels(content: bytes) -> bool:
    """Whether a file is a PNG of 16-bit RGB, by its header (11.2.2)."""
    return content.startswith(SIGNATURE) and content[24:26] == bytes([16, 2])


def first_of_16_bits(path: Path, content: bytes) -> NDArray[np.uint16]:
    """The first channel (H, W) of a PNG of 16-bit RGB; Pillow would return zeros for ids.

    Raises:
        InputError: the file is damaged. Checksums and sizes are checked first, since torchvision's decoder ends the
            interpreter on some damaged files.
    """
    _check(path, content)
    import torch  # takes seconds to import; only SYNTHIA needs it
    from torchvision.io import ImageReadMode, decode_image

    encoded = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    try:
        ids: NDArray[np.uint16] = decode_image(encoded, ImageReadMode.UNCHANGED)[0].numpy()
    except RuntimeError as error:
        raise InputError(f"{path}: not a readable image ({one_line(error)}); obtain the file again") from None
    return ids


def _check(path: Path, content: bytes) -> None:
    """InputError unless checksums are right, the size is in bounds, and the data fill it exactly."""
    try:
        parts = list(chunks(content))
        header = parts[0][1]
        width, height = (int.from_bytes(header[place : place + 4], "big") for place in (0, 4))
        sound = parts[0][0] == b"IHDR" and len(header) == 13 and header[10:] == bytes(3) and parts[-1][0] == b"IEND"
    except (IndexError, ValueError):
        sound, width, height = False, 1, 1
    if not sound:
        raise InputError(
            f"{path}: not a readable image (a wrong checksum, cut short, or interlaced); obtain the file again"
        )
    check_size(path, width, height)
    expected = height * (1 + 6 * width)
    unpack = zlib.decompressobj()
    try:
        data = unpack.decompress(b"".join(data for kind, data in parts if kind == b"IDAT"), expected + 1)
    except zlib.error as error:
        raise InputError(f"{path}: not a readable image ({one_line(error)}); obtain the file again") from None
    filters = data[:: 1 + 6 * width]
    if len(data) != expected or not unpack.eof or max(filters) > 4:
        raise InputError(f"{path}: not a readable image (its data do not fill its size); obtain the file again")


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and data of every chunk of a PNG (5.3); ValueError for a wrong checksum or an incomplete chunk."""
    place = len(SIGNATURE)
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        body, check = content[place + 4 : place + 8 + length], content[place + 8 + length : place + 12 + length]
        if len(check) < 4 or zlib.crc32(body) != int.from_bytes(check, "big"):
            raise ValueError("damaged chunk")
        yield body[:4], body[4:]
        place += 12 + length
