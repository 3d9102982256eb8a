"""Safe reading of files that torch has saved: damage is detected, and no code in a file is ever run."""

import math
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from esl.errors import InputError, one_line
from esl.files import require_file


def read_tensors(path: Path, *, kind: str, fix: str, old_format: bool = False) -> Any:
    """The content of a file of ``torch.save``, on the CPU, loaded with ``weights_only=True``.

    ``kind`` names the expected file and ``fix`` the remedy, for messages. Only torch's zip format is read, since its
    checksums find any damage; with ``old_format`` also the format of torch before 1.6, which has none.

    Raises:
        InputError: the file is missing or damaged, or holds more than tensors and plain values; or, unless in
            ``old_format``, a number that is not finite.
    """
    require_file(path, fix=fix)
    try:
        if not old_format or zipfile.is_zipfile(path):
            _check_sums(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not old_format and not _is_finite(content):
            raise ValueError("a number in it is not finite, or a tensor is no plain one")
        return content
    except Exception as error:  # a damaged file makes torch raise almost anything
        raise InputError(f"{path}: not {kind} that can be loaded safely ({_reason(error)}); {fix}") from None


def check_weights(path: Path, weights: Mapping[str, Tensor], *, fix: str) -> None:
    """Raises InputError unless all ``weights`` are finite real numbers; names the first other one."""
    for name, tensor in weights.items():
        if not _is_finite(tensor):
            raise InputError(f"{path}: {one_line(name)} holds numbers that are not finite and real; {fix}")


def _is_finite(value: Any) -> bool:
    """Whether all numbers in a tensor, or in dicts, lists and tuples, are finite; plain tensors of real numbers are."""
    if isinstance(value, Tensor):
        plain = value.layout == torch.strided and not value.is_complex()
        # a file of a few bytes can hold a tensor of any size: one number, repeated
        return plain and value.numel() <= value.untyped_storage().nbytes() and bool(value.isfinite().all())
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


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
        such = f", such as {one_line(name[1])}" if name else ""
        return f"it is damaged or holds more than tensors and plain values{such}"
    return one_line(str(error).strip().partition("\n")[0] or type(error).__name__)
