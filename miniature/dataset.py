"""Writes the miniature as one dataset: its files, a record of them, and finally a manifest."""

import json
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.errors import InputError
from esl.files import atomic_path, sha256_of_file, sha256_of_lines, write_json
from miniature.layouts import EXTRA_FILES, SCENES, SceneFiles
from miniature.settings import Layout, MiniatureSettings
from miniature.writer import write_scenes

RECORD = ".rendering.json"
"""The record of our own files, in the root from before the first file is written until after the last one.

The manifest cannot do this: a workflow removes it before it renders again."""


def manifest_of(root: Path) -> Path:
    """The path of the manifest: next to the dataset's folder, since its layout has no such file."""
    return root.with_name(f"{root.name}.json")


def render_miniature(root: Path, layout: Layout, settings: MiniatureSettings, *, seed: int, workers: int) -> None:
    """Renders one dataset into ``root``, in place of an older rendering there, finished or not.

    Raises:
        InputError: ``root`` holds foreign files, or ``seed`` is negative.
    """
    if seed < 0:
        raise InputError(f"Expected `seed` to be >= 0, but got {seed}")
    scenes = list(SCENES[layout](settings))
    _clear(root)
    counts = {name: getattr(settings, name) for name in ("source", "target_train", "target_val")}
    write_json(root / RECORD, {"layout": layout, "images": counts})
    pixels = write_scenes(scenes, root, settings, seed=seed, workers=workers)
    for name, content in EXTRA_FILES.get(layout, {}).items():
        with atomic_path(root / name) as part:
            part.write_text(content, encoding="utf-8")
    manifest = {
        "layout": layout,
        "settings": {"seed": seed, "width": settings.width, "height": settings.height, "shift": settings.shift},
        "images": len(scenes),
        "class_shares": _class_shares(pixels),
        "sha256": sha256_of_lines([f"{sha256_of_file(root / name)}  {name}" for name in _files(layout, scenes)]),
    }
    write_json(manifest_of(root), manifest)


def _files(layout: Layout, scenes: list[SceneFiles]) -> list[str]:
    """The sorted paths, relative to the root, of all files."""
    return sorted([*EXTRA_FILES.get(layout, {}), *(name for scene in scenes for name in scene.files)])


def _clear(root: Path) -> None:
    """Removes an older rendering from ``root``; if there are foreign files, raises InputError and removes nothing.

    The manifest goes first and the record last: a kill at any point leaves no manifest of missing files and no file
    outside of the record.
    """
    foreign = sorted(_present(root) - _ours(root))
    if foreign:
        raise InputError(
            f"{root / foreign[0]}: not a file of the miniature, but {root} is reserved for it"
            f" ({len(foreign)} such files); move them away or choose another root"
        )
    manifest_of(root).unlink(missing_ok=True)
    for path in root.iterdir() if root.exists() else ():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != RECORD:
            path.unlink()


def _present(root: Path) -> set[str]:
    """Every file under ``root``, relative to it, except the remains of a killed write."""
    if root.exists() and not root.is_dir():
        raise InputError(f"{root}: expected a folder for the miniature, but got a file; choose another root")
    files = (path for path in root.rglob("*") if not path.is_dir())
    return {path.relative_to(root).as_posix() for path in files if not _is_part(path)}


def _is_part(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(".part")


def _ours(root: Path) -> set[str]:
    """The files in the record under ``root``; none without a record."""
    try:
        record = json.loads((root / RECORD).read_text())
        counts = record["images"] if "images" in record else record["pictures"]  # the key of renderings before 2026-12
        return {RECORD, *_files(record["layout"], list(SCENES[record["layout"]](MiniatureSettings(**counts))))}
    except (OSError, ValueError, KeyError, TypeError):
        return set()  # absent, or not a record of ours


def _class_shares(pixels: NDArray[np.int64]) -> dict[str, float]:
    """The share of every evaluated class in all pixels (256,) by name, and of the rest as "void"."""
    counts = {label.name: int(pixels[label.id]) for label in CITYSCAPES_LABELS if label.train_id != IGNORE}
    total = int(pixels.sum())
    counts["void"] = total - sum(counts.values())
    return {name: round(count / total, 6) for name, count in counts.items()}
