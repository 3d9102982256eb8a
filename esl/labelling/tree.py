"""The files of a folder or a zip file by their names; nothing is unpacked, so no entry can lead out of a folder."""

from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Protocol
from zipfile import ZipFile, ZipInfo, is_zipfile

from esl.data.formats.folders import PASSED_OVER, walk
from esl.data.images import read_bytes
from esl.errors import InputError, one_line, printable
from esl.files import sha256_of_file, sha256_of_lines

LARGEST = 2**29
"""The most bytes of an unpacked entry: a mask of 268 megapixels in two bytes each, uncompressed."""

UTF_8 = 0x800
"""The flag of an entry whose name is in UTF-8 (PKWARE's APPNOTE, 4.4.4); macOS writes UTF-8 without it."""


class Tree(Protocol):
    """Files by their names: paths from the top, with `/` between folders; hidden files are left out."""

    path: Path

    @property
    def names(self) -> list[str]:
        """The names of all files, sorted."""

    def read(self, name: str) -> bytes:
        """The bytes of a file; InputError if it cannot be read."""

    def state(self) -> str:
        """A digest of names and bytes: it changes exactly when one of them does."""


class FileTree:
    """A single file."""

    def __init__(self, path: Path) -> None:
        self.path = path.parent
        self.names = [path.name]

    def read(self, name: str) -> bytes:
        """The bytes of the file; errors as of ``read_bytes``."""
        return read_bytes(self.path / name)[1]

    def state(self) -> str:
        """The digest of the file's bytes."""
        return sha256_of_file(self.path / self.names[0])


class FolderTree:
    """The files in a folder and below."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def names(self) -> list[str]:
        """Their paths from the folder; InputError if a folder cannot be listed."""
        return sorted(path.relative_to(self.path).as_posix() for path in walk(self.path))

    def read(self, name: str) -> bytes:
        """The bytes of a file; errors as of ``read_bytes``."""
        return read_bytes(self.path / name)[1]

    def state(self) -> str:
        """The digest of the names and bytes of all files."""
        return sha256_of_lines([f"{name} {sha256(self.read(name)).hexdigest()}" for name in self.names])


class ZipTree:
    """The files in a zip file.

    Raises:
        InputError: the file is damaged, or the name of an entry leads out of a folder, or occurs twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._archive = ZipFile(path)
        except Exception as error:  # zipfile raises anything for a damaged file
            raise InputError(f"{path}: not a readable zip file ({one_line(error)}); obtain it again") from None
        self._entries: dict[str, ZipInfo] = {}
        for entry in self._archive.infolist():
            name = _name(path, entry)
            if name.endswith("/") or any(part in PASSED_OVER or part.startswith(".") for part in name.split("/")):
                continue
            if name in self._entries:
                raise InputError(f"{path}: {printable(name)}: occurs twice in the zip file; export it again")
            self._entries[name] = entry

    @property
    def names(self) -> list[str]:
        """The names of the entries."""
        return sorted(self._entries)

    def read(self, name: str) -> bytes:
        """The unpacked bytes of an entry; InputError if it is damaged, encrypted, or larger than ``LARGEST``."""
        entry, shown = self._entries[name], self.path / printable(name)
        if entry.file_size > LARGEST:
            raise InputError(
                f"{shown}: claims {entry.file_size:,} bytes, but at most {LARGEST:,} are read; export it again"
            )
        try:
            return self._archive.read(entry)
        except Exception as error:  # zipfile and zlib raise anything for a damaged or encrypted entry
            raise InputError(
                f"{shown}: cannot be read from the zip file ({one_line(error)}); export it again, without a password"
            ) from None

    def state(self) -> str:
        """The digest of the zip file's bytes."""
        return sha256_of_file(self.path)


def _name(path: Path, entry: ZipInfo) -> str:
    """The name of an entry with `/` between folders, in UTF-8 where its bytes are."""
    name = entry.filename
    if not entry.flag_bits & UTF_8:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = entry.filename
    name = name.replace("\\", "/")
    if not name or name.startswith("/") or name[1:2] == ":" or ".." in PurePosixPath(name).parts:
        raise InputError(f"{path}: the entry {printable(name)!r} leads out of its folder; export the labels again")
    return name.removeprefix("./")


def open_tree(path: Path) -> Tree:
    """The files of ``path``: a folder, a zip file, or a single file.

    Raises:
        InputError: there is no such file or folder, or it is a damaged zip file.
    """
    if path.is_dir():
        return FolderTree(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder of labels; correct the path")
    return ZipTree(path) if is_zipfile(path) or path.suffix.lower() == ".zip" else FileTree(path)
