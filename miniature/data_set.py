"""Stage: render the miniature as one data set, and beside its folder a manifest, written last."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.data.label_tables import CITYSCAPES_LABELS
from esl.errors import InputError
from esl.files import atomic_path, sha256_of_file, sha256_of_lines, write_json
from esl.stages.command import add_paths, stage
from miniature.layouts import EXTRA_FILES, LAYOUTS, Counts, Street, write_streets
from miniature.render import check_settings

RECORD = ".rendering.json"
"""Lies in the root before, while and after its files do: it tells which files there are ours.

The manifest cannot: a workflow removes it before it renders anew."""


def manifest_of(root: Path) -> Path:
    """The manifest lies beside the data set, in which a reader of its layout would not expect it."""
    return root.with_name(f"{root.name}.json")


def render_miniature(root: Path, layout: str, counts: Counts, settings: dict[str, Any], *, workers: int) -> None:
    """Render one data set into ``root``, in place of an older rendering there, finished or not.

    ``layout`` is one of ``LAYOUTS``; ``settings`` are the keyword arguments of ``write_streets``. Raises InputError
    where ``root`` holds files that no rendering wrote, and for settings that no street can be rendered with.
    """
    check_settings(**settings)
    streets = _streets(layout, counts)
    _clear(root)
    write_json(root / RECORD, {"layout": layout, "pictures": dict(counts)})
    pixels = write_streets(streets, root, **settings, workers=workers)
    for name, content in EXTRA_FILES.get(layout, {}).items():
        with atomic_path(root / name) as part:
            part.write_text(content, encoding="utf-8")
    manifest = {
        "layout": layout,
        "settings": settings,
        "pictures": len(streets),
        "class_shares": _class_shares(pixels),
        "sha256": sha256_of_lines([f"{sha256_of_file(root / name)}  {name}" for name in _files(layout, streets)]),
    }
    write_json(manifest_of(root), manifest)


def _streets(layout: str, counts: Counts) -> list[Street]:
    for part, count in counts.items():
        if count < 1:
            raise InputError(f"Expected at least one picture of {part}, but got {count}")
    return list(LAYOUTS[layout](counts))


def _files(layout: str, streets: list[Street]) -> list[str]:
    """The sorted paths, relative to the root, of all files."""
    return sorted([*EXTRA_FILES.get(layout, {}), *(name for street in streets for name in street.files)])


def _clear(root: Path) -> None:
    """Remove an older rendering from ``root``, but nothing else; refuse where anything else lies there.

    The manifest goes first and the record last, so that a kill at any point leaves no manifest over missing files and
    no file that is not known as ours.
    """
    foreign = sorted(_present(root) - _ours(root))
    if foreign:
        raise InputError(
            f"{root / foreign[0]}: not a file of the miniature, which {root} is meant for"
            f" ({len(foreign)} such files); move them away or choose another root"
        )
    manifest_of(root).unlink(missing_ok=True)
    for path in root.iterdir() if root.exists() else ():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != RECORD:
            path.unlink()


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
        return {RECORD, *_files(record["layout"], _streets(record["layout"], record["pictures"]))}
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
    parser.add_argument("--layout", choices=LAYOUTS, required=True, help="gta5 and synthia are sources, others targets")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other scenes")
    parser.add_argument("--width", type=int, default=256, help="pixels, at least 32")
    parser.add_argument("--height", type=int, default=128, help="pixels, at least 32")
    parser.add_argument("--source", type=int, default=400, help="pictures of a source")
    parser.add_argument("--target-train", type=int, default=600, help="pictures of a target to adapt to")
    parser.add_argument("--target-val", type=int, default=300, help="pictures of a target to evaluate on")
    parser.add_argument("--shift", type=float, default=0.8, help="how far the target looks from the source; 0: not")
    parser.add_argument("--workers", type=int, default=2, help="processes; the files do not depend on it")
    flags = parser.parse_args(arguments)
    counts = {part: getattr(flags, part) for part in ("source", "target_train", "target_val")}
    settings = {name: getattr(flags, name) for name in ("seed", "width", "height", "shift")}
    render_miniature(flags.root, flags.layout, counts, settings, workers=flags.workers)


if __name__ == "__main__":
    stage(main)
