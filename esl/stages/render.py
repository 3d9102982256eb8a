"""Stage: render the miniature: a source as GTA5 or SYNTHIA, a target as Cityscapes, and a manifest, written last."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esl.classes import CITYSCAPES_LABELS, IGNORE
from esl.errors import InputError
from esl.files import sha256_of_file, sha256_of_lines, write_json
from esl.stages.command import add_paths, stage
from esl.streets.layouts import SOURCES, Street, cityscapes_streets, write_streets
from esl.streets.render import check_settings

MANIFEST = "manifest.json"
RECORD = ".rendering.json"
"""Lies in the root before, while and after its files do: it tells which files there are ours.

The manifest cannot: a workflow removes it before it renders anew."""

FOLDERS = (*SOURCES, "cityscapes")


def render_miniature(
    root: Path, source: str, pictures: dict[str, int], settings: dict[str, Any], *, workers: int
) -> None:
    """Render the miniature into ``root``, in place of an older one there, finished or not.

    ``source`` names its layout, one of ``SOURCES``; ``pictures`` counts those of ``source``, ``target_train`` and
    ``target_val``; ``settings`` are the keyword arguments of ``write_streets``. Raises InputError where ``root`` holds
    files that no rendering wrote, and for settings that no street can be rendered with.
    """
    check_settings(**settings)
    splits = _splits(source, pictures)
    _clear(root)
    write_json(root / RECORD, {"source": source, "pictures": pictures})
    pixels = {split: write_streets(streets, root, **settings, workers=workers) for split, streets in splits.items()}
    manifest = {
        "settings": settings,
        "pictures": pictures,
        "class_shares": {
            "source": _class_shares(pixels["source"]),
            "target": _class_shares(pixels["target_train"] + pixels["target_val"]),
        },
        "sha256": sha256_of_lines([f"{sha256_of_file(root / name)}  {name}" for name in _files(splits)]),
    }
    write_json(root / MANIFEST, manifest)


def _splits(source: str, pictures: dict[str, int]) -> dict[str, list[Street]]:
    for split, count in pictures.items():
        if count < 1:
            raise InputError(f"Expected at least one picture of {split}, but got {count}")
    return {
        "source": list(SOURCES[source](pictures["source"])),
        "target_train": list(cityscapes_streets("train", pictures["target_train"])),
        "target_val": list(cityscapes_streets("val", pictures["target_val"])),
    }


def _files(splits: dict[str, list[Street]]) -> list[str]:
    """The sorted paths, relative to the root, of all pictures and labels."""
    return sorted(name for streets in splits.values() for street in streets for name in street.files)


def _clear(root: Path) -> None:
    """Remove an older miniature from ``root``, but nothing else; refuse where anything else lies there.

    The manifest goes first and the record stays, so that a kill at any point leaves no manifest over missing files and
    no file that is not known as ours.
    """
    foreign = sorted(_present(root) - _ours(root))
    if foreign:
        raise InputError(
            f"{root / foreign[0]}: not a file of the miniature, which {root} is meant for"
            f" ({len(foreign)} such files); move them away or choose another root"
        )
    (root / MANIFEST).unlink(missing_ok=True)
    for folder in FOLDERS:
        if (root / folder).exists():
            shutil.rmtree(root / folder)


def _present(root: Path) -> set[str]:
    """Every file under ``root``, relative to it; what a killed write left beside its file is nobody's."""
    if root.exists() and not root.is_dir():
        raise InputError(f"{root}: expected a folder for the miniature, but this is a file; choose another root")
    files = (path for path in root.rglob("*") if not path.is_dir())
    return {path.relative_to(root).as_posix() for path in files if not _is_part(path)}


def _is_part(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(".part")


def _ours(root: Path) -> set[str]:
    """The files under ``root`` that a record of ours there accounts for; none without such a record."""
    try:
        record = json.loads((root / RECORD).read_text())
        return {RECORD, MANIFEST, *_files(_splits(record.get("source", "gta5"), record["pictures"]))}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()  # absent, or somebody else's


def _class_shares(pixels: NDArray[np.int64]) -> dict[str, float]:
    """The share of every evaluated class in all pixels (256,) by name, and of the rest as "void"."""
    counts = {label.name: int(pixels[label.id]) for label in CITYSCAPES_LABELS if label.train_id != IGNORE}
    total = int(pixels.sum())
    counts["void"] = total - sum(counts.values())
    return {name: round(count / total, 6) for name, count in counts.items()}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--root")
    parser.add_argument("--layout", choices=SOURCES, default="gta5", help="of the source")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other scenes")
    parser.add_argument("--width", type=int, default=256, help="pixels, at least 64")
    parser.add_argument("--height", type=int, default=128, help="pixels, at least 32")
    parser.add_argument("--source", type=int, default=400, help="pictures of the source")
    parser.add_argument("--target-train", type=int, default=600, help="pictures of the target to adapt to")
    parser.add_argument("--target-val", type=int, default=300, help="pictures of the target to evaluate on")
    parser.add_argument("--shift", type=float, default=0.8, help="how far the target looks from the source; 0: not")
    parser.add_argument("--workers", type=int, default=2, help="processes; the files do not depend on it")
    flags = parser.parse_args(arguments)
    pictures = {split: getattr(flags, split) for split in ("source", "target_train", "target_val")}
    settings = {name: getattr(flags, name) for name in ("seed", "width", "height", "shift")}
    render_miniature(flags.root, flags.layout, pictures, settings, workers=flags.workers)


if __name__ == "__main__":
    stage(main)
