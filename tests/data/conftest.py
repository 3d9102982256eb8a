"""An encoder of 16-bit PNGs, which Pillow cannot write."""

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray


def encoded_16_bits(channels: NDArray[np.uint16]) -> bytes:
    """(H, W, 3) -> a PNG of three 16-bit channels, as SYNTHIA's labels are."""
    height, width, _ = channels.shape

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in channels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture(scope="session")
def png_of_16_bits() -> Callable[[NDArray[np.uint16]], bytes]:
    return encoded_16_bits
