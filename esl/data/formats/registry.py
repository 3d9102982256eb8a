"""The formats that the project knows by name, and what a root is expected to be."""

from pathlib import Path

from esl.data.formats import cityscapes, folder, gta5, mapillary, synthia
from esl.data.formats.base import Format
from esl.data.formats.declared import Declaration, declared, shipped
from esl.errors import InputError

FORMATS: dict[str, Format] = {
    "gta5": gta5.FORMAT,
    "synthia": synthia.FORMAT,
    "cityscapes": cityscapes.FORMAT,
    "mapillary": mapillary.FORMAT,
    **shipped(),
    "folder": folder.FORMAT,
}


def format_named(name: str, declaration: Declaration | None = None) -> Format:
    """The format called ``name``: that of ``declaration`` when given; InputError lists those there are."""
    if declaration is not None:
        return declared(name, declaration)
    if name not in FORMATS:
        raise InputError(f"dataset: expected one of {', '.join(FORMATS)}, but got {name!r}")
    return FORMATS[name]


def existing_root(root: Path, key: str) -> Path:
    """``root`` itself when it is a folder; else InputError names the config ``key`` to mend."""
    if not root.is_dir():
        raise InputError(
            f"{root}: no such folder; {key} must be the folder of the data set: download it, or correct the path"
        )
    return root
