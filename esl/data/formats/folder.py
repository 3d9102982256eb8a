"""The user's own images, without labels: every png, jpg, webp, bmp and tif file below the root, or below a split."""

from dataclasses import dataclass
from pathlib import Path

from esl.data.formats.base import Listing
from esl.data.formats.folders import entries, is_folder
from esl.data.formats.notes import IMAGES_BELOW
from esl.data.formats.patterns import WHOLE, Layout
from esl.errors import InputError


@dataclass(frozen=True)
class Folder:
    """Images in folders; a split is a folder below the root, ``all`` is the root itself."""

    title: str = "a folder of images"

    def layout(self, split: str) -> str:
        """The expected paths of files of ``split``, as text for messages."""
        return IMAGES_BELOW if split == WHOLE else f"{split}/"

    def splits(self, root: Path) -> list[str]:
        """``all``, and every folder below ``root`` with images in it."""
        folders = [entry.name for entry in entries(root) if is_folder(entry) and not entry.name.startswith(".")]
        return [*_whole(".").splits(root), *(name for name in folders if _whole(name).splits(root))]

    def listing(self, root: Path, split: str) -> Listing:
        """Every image; InputError if the split has no folder."""
        if split != WHOLE and not (root / split).is_dir():
            raise InputError(
                f"{root}: no folder {split!r} there; a split of a folder of images is a folder below it: make one, "
                f"or ask for {WHOLE!r} to take every image"
            )
        return _whole("." if split == WHOLE else split).listing(root, WHOLE)


def _whole(folder: str) -> Layout:
    return Layout("a folder of images", (folder,))


FORMAT = Folder()
