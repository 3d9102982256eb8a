"""Safe reading of files that torch has saved: damage is detected, and no code in a file is ever run."""

import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from esl.errors import InputError


def read_tensors(path: Path, *, kind: str, fix: str, old_format: bool = False) -> Any:
    """The content that ``torch.save`` wrote to ``path``, on the CPU, with ``weights_only=True``.

    ``kind`` says what the file should be and ``fix`` what to do when it is not, for messages. Only torch's zip format
    is read, whose checksums find any damage; with ``old_format`` that of torch before 1.6 too, which has none.

    Raises:
        InputError: the file is missing or damaged, or holds more than tensors and plain values.
    """
    try:
        if not old_format or zipfile.is_zipfile(path):
            _check_sums(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch raise almost anything
        raise InputError(f"{path}: not {kind} that can be loaded safely ({_reason(error)}); {fix}") from None


def _check_sums(path: Path) -> None:
    """Compares every checksum of a zip file: torch reads flipped bits silently."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(f"checksum of {damaged}")


def _reason(error: Exception) -> str:
    """One line; torch's own message about unsafe content says how to load it anyway."""
    if isinstance(error, pickle.UnpicklingError):
        name = re.search(r"GLOBAL (\S+)", str(error))
        return f"it is damaged or holds more than tensors and plain values{f', such as {name[1]}' if name else ''}"
    return (str(error).strip() or type(error).__name__).splitlines()[0]
