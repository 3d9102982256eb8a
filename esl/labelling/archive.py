"""Zip files whose bytes depend on nothing but their content."""

import io
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def add(archive: ZipFile, name: str, content: bytes, compression: int = ZIP_STORED) -> None:
    """Adds a file with a fixed date."""
    entry = ZipInfo(name)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, compression)


def png(values: NDArray[np.uint8], palette: list[int] | None = None) -> bytes:
    """An 8-bit PNG of (H, W): grey, or of indices into ``palette`` (256 colours, flat)."""
    image = Image.fromarray(values)
    if palette is not None:
        image.putpalette(palette)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()
