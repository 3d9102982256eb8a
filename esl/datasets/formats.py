"""The contract of a data set on disk, and the formats that keep it.

A format says where samples lie under a root and what its raw label ids mean; pictures and labels of every format are
read by ``esl.datasets.reading``.
"""

from pathlib import Path

from esl.datasets import cityscapes, gta5, synthia
from esl.datasets.samples import Format
from esl.errors import InputError

FORMATS = {"gta5": gta5.FORMAT, "synthia": synthia.FORMAT, "cityscapes": cityscapes.FORMAT}


def format_named(name: str) -> Format:
    """The format called ``name``; InputError lists those there are."""
    if name not in FORMATS:
        raise InputError(f"dataset: expected one of {', '.join(FORMATS)}, but got {name!r}")
    return FORMATS[name]


def existing_root(root: Path, key: str) -> Path:
    """``root`` itself when it is a folder; else InputError names the config ``key`` to mend."""
    if not root.is_dir():
        raise InputError(
            f"{root}: no such folder; {key}.root must be the folder of the data set: download it, or correct the path"
        )
    return root
