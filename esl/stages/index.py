"""Stage: open every file of a data set's split once and write the index, or list every defect.

Without --output it is a doctor: it writes nothing and says, on a screen a split, what it takes the folder for.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from esl.classes import ClassSet
from esl.data.class_sets import CLASS_SETS, declared_class_set
from esl.data.formats.base import Format
from esl.data.formats.registry import FORMATS, existing_root, format_named
from esl.data.inspection import DEMANDS, Checks, Inspection, inspect
from esl.data.report import report
from esl.errors import InputError
from esl.files import write_json
from esl.stages.command import stage


def main() -> None:
    parser = _parser()
    flags = parser.parse_args()
    if flags.output is not None and None in (flags.dataset, flags.split):
        parser.error("--output needs --dataset and --split")
    root: Path = existing_root(flags.root, flags.key)
    class_set = _class_set(flags)
    if flags.output is not None:
        format_ = format_named(flags.dataset, _json(flags.declared))
        inspection = _inspection(flags, flags.dataset, format_, flags.split, class_set)
        print(report(inspection, format_), file=sys.stderr)
        write_json(flags.output, inspection.checked().to_json())
        return
    believed = _believed(flags, root)
    sound = True
    for name, format_ in believed.items():
        for split in [flags.split] if flags.split else format_.splits(root):
            inspection = _inspection(flags, name, format_, split, class_set)
            print(report(inspection, format_), end="\n\n")
            sound = sound and not inspection.defects
    sys.exit(0 if sound else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="the data set's folder")
    parser.add_argument("--output", type=Path, help="the index; without it, a report is printed")
    parser.add_argument("--key", default="--root", help="where the config names the folder, for messages")
    parser.add_argument("--dataset", help=f"{', '.join(FORMATS)}, or a name of your own; default: every one that fits")
    parser.add_argument("--declared", help="what the config's `datasets` says of a data set of your own, as JSON")
    parser.add_argument("--split", help="default: every one there is")
    parser.add_argument("--class-set", default="cityscapes19", help=f"{', '.join(CLASS_SETS)}, or a name of your own")
    parser.add_argument("--declared-classes", help="what the config's `class_sets` says of one of your own, as JSON")
    parser.add_argument("--labels", default="all_or_none", choices=DEMANDS)
    parser.add_argument("--mismatched-labels", default="error", choices=("error", "resize"))
    parser.add_argument("--missing-labels", default="error", choices=("error", "skip"))
    parser.add_argument("--workers", type=int, default=2)
    return parser


def _json(text: str | None) -> dict[str, Any] | None:
    """A declaration of the config, which the workflow has checked; by hand it may be anything."""
    try:
        declared = None if text is None else json.loads(text)
    except ValueError as error:
        raise InputError(f"{text!r}: expected JSON ({error})") from None
    if declared is not None and not isinstance(declared, dict):
        raise InputError(f"{text!r}: expected a JSON object")
    return declared


def _class_set(flags: argparse.Namespace) -> ClassSet:
    if (declared := _json(flags.declared_classes)) is not None:
        return declared_class_set(flags.class_set, declared)
    if flags.class_set not in CLASS_SETS:
        raise InputError(f"class_set: expected one of {', '.join(CLASS_SETS)}, but got {flags.class_set!r}")
    return CLASS_SETS[flags.class_set]


def _inspection(flags: argparse.Namespace, name: str, format_: Format, split: str, class_set: ClassSet) -> Inspection:
    checks = Checks(flags.labels, flags.mismatched_labels, flags.missing_labels)
    return inspect(name, format_, flags.root, split, class_set, checks, workers=flags.workers)


def _believed(flags: argparse.Namespace, root: Path) -> dict[str, Format]:
    """The formats that fit what lies under ``root``: of those that find pictures there, those that find labels too.

    A mere folder of pictures is what no other format fits.
    """
    if flags.dataset is not None:
        return {flags.dataset: format_named(flags.dataset, _json(flags.declared))}
    fitting = {name: format_ for name, format_ in FORMATS.items() if name != "folder" and format_.splits(root)}
    labelled = {name: format_ for name, format_ in fitting.items() if _has_labels(format_, root)}
    if fitting:
        return labelled or fitting
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        for name, format_ in FORMATS.items():
            if name != "folder" and format_.splits(folder):
                raise InputError(
                    f"{root}: no data set there, but {folder} holds pictures of {name}: unpack all parts of a data set "
                    "into one folder, and name that folder"
                )
    if not FORMATS["folder"].splits(root):
        layouts = "\n".join(f"  {name}: {format_.layout('SPLIT')}" for name, format_ in FORMATS.items())
        raise InputError(f"{root}: no data set and no picture; expected, for a split SPLIT:\n{layouts}")
    return {"folder": FORMATS["folder"]}


def _has_labels(format_: Format, root: Path) -> bool:
    """Whether any split of ``root`` has a label of the format; a table of labels that is damaged counts as one."""
    try:
        listings = [format_.listing(root, split) for split in format_.splits(root)]
    except InputError:
        return True
    return any(sample.label is not None for listing in listings for sample in listing.samples)


if __name__ == "__main__":
    stage(main)
