"""What every kind of returned labels gives, and the zip file or folder that it is read from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from esl.data.images import read_bytes
from esl.errors import InputError, one_line
from esl.labelling.contents import LabelSet

MOST_BYTES = 2**30
"""The largest file that is unpacked from a zip file."""

SETS: dict[str, LabelSet] = {"measure": "measure", "train": "train"}
"""Names of subsets, folders and files, in lower case, that say what labels are for."""


@dataclass(frozen=True)
class Annotated:
    """The label of one image, not read yet."""

    name: str
    """The path of its image, as the file gives it, without ending."""
    set: LabelSet | None
    """What it is for; ``None``: the file does not say."""
    where: str
    """For messages."""
    read: Callable[[], NDArray[np.uint8]]
    """Gives trainIds (H, W) uint8, 255 where nothing is labelled; InputError for a damaged file or an unknown class."""


class Files:
    """The files of a zip file or a folder, by their paths in it."""

    def __init__(self, path: Path) -> None:
        """Raises InputError: ``path`` is missing, or is neither."""
        self.path = path
        self._zip: ZipFile | None = None
        if path.is_dir():
            self.names = sorted(entry.relative_to(path).as_posix() for entry in path.rglob("*") if entry.is_file())
            return
        try:
            self._zip = ZipFile(path)
        except FileNotFoundError:
            raise InputError(f"{path}: no such file or folder; correct target.labels") from None
        except (BadZipFile, OSError, NotImplementedError, ValueError) as error:
            raise InputError(f"{path}: not a readable zip file ({one_line(error)}); export it again") from None
        self.names = sorted(entry.filename for entry in self._zip.infolist() if not entry.is_dir())

    def read(self, name: str) -> bytes:
        """The bytes of a file; InputError if it is damaged, or larger than ``MOST_BYTES``."""
        if self._zip is None:
            return read_bytes(self.path / name)[1]
        if self._zip.getinfo(name).file_size > MOST_BYTES:
            raise InputError(f"{self.where(name)}: claims more than {MOST_BYTES >> 20} MB; export it again")
        try:
            return self._zip.read(name)
        except Exception as error:  # zlib, a wrong password, a method that is not there
            raise InputError(f"{self.where(name)}: cannot be unpacked ({one_line(error)}); export it again") from None

    def text(self, name: str) -> str:
        """The text of a file; InputError if it is not UTF-8."""
        try:
            return self.read(name).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(f"{self.where(name)}: expected text in UTF-8") from None

    def where(self, name: str) -> str:
        """A file, for messages."""
        return f"{self.path}/{name}"

    def inside(self, folder: str) -> Iterator[tuple[str, str]]:
        """Files below ``folder``, at any depth of the whole: path, and path below that folder."""
        for name in self.names:
            parts = PurePosixPath(name).parts
            if folder in parts[:-1]:
                place = parts.index(folder)
                yield name, "/".join(parts[place + 1 :])


def set_named(name: str) -> LabelSet | None:
    """The set that a subset, a folder or a file's stem names.

    >>> set_named("Train"), set_named("instances_measure"), set_named("default")
    ('train', 'measure', None)
    """
    return SETS.get(name.lower().removeprefix("instances_"))
