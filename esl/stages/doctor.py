"""Reports how a folder is recognised, split by split: images, sizes, classes present and absent, and defects.

Writes nothing. The exit status is 1 when there are defects, or when no format fits. No rule of the workflow runs it.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from esl.classes import ClassSet
from esl.data.class_sets import CLASS_SETS, build_class_set
from esl.data.config import ClassDeclaration, DatasetDeclaration, merged_declarations
from esl.data.formats.base import Format, Listing, Sample, require_root
from esl.data.formats.build import format_named, format_names
from esl.data.formats.folders import entries, is_folder
from esl.data.formats.notes import nothing_there
from esl.data.formats.paths import unread
from esl.data.formats.patterns import WHOLE, Layout
from esl.data.inspection import inspect
from esl.data.report import report
from esl.data.settings import Checks
from esl.data.splits import listing_of
from esl.errors import InputError, explanations, one_line
from esl.stages.command import stage
from esl.stages.config_files import read_yaml


@dataclass(frozen=True)
class Declarations:
    """The user's own datasets and class sets, as JSON by name."""

    datasets: Mapping[str, Any]
    class_sets: Mapping[str, Any]


def main(arguments: list[str] | None = None) -> None:
    """Reports how a folder is recognised, split by split; exits with 1 if there is a defect."""
    flags = _parser().parse_args(arguments)
    root: Path = require_root(flags.root, "--root")
    own = read_declarations(flags.configfile)
    class_set = _class_set(flags.class_set, own)
    checks = Checks(**{name: getattr(flags, name) for name in Checks.model_fields})
    sound = True
    for name, format_ in _formats(flags.dataset, flags.split, root, own).items():
        splits = [flags.split] if flags.split else format_.splits(root)
        if not splits:
            any_split = WHOLE if format_.layout("*") == format_.layout(WHOLE) else "*"
            listing = format_.listing(root, any_split) if isinstance(format_, Layout) else Listing([], None, [])
            raise InputError(nothing_there(name, format_, root, any_split, listing))
        for split in splits:
            inspection = inspect(name, format_, root, split, class_set, checks, workers=flags.workers)
            print(report(inspection, format_), end="\n\n")
            sound = sound and not inspection.defects
        for split in () if flags.split else _without_images(format_, root):
            print(f"{root}: split {split!r} of {name!r} has labels but no images; expected {format_.layout(split)}\n")
    sys.exit(0 if sound else 1)


def _without_images(format_: Format, root: Path) -> list[str]:
    """The splits with labels but no images, by the patterns of a format."""
    if not isinstance(format_, Layout):
        return []
    return sorted({*format_.label_splits(root)} - {*format_.splits(root)})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(format_names())
    parser.add_argument("--root", type=Path, required=True, help="the folder of the dataset")
    parser.add_argument("--dataset", help=f"{names}, or one that --configfile declares; default: every one that fits")
    parser.add_argument("--split", help="a split, or a list file (.txt) of ids or image paths; default: every split")
    parser.add_argument("--class-set", default="cityscapes19", help=f"{', '.join(CLASS_SETS)}, or one of --configfile")
    parser.add_argument(
        "--configfile", type=Path, nargs="+", default=[], help="configs that declare datasets or classes"
    )
    for name, field in Checks.model_fields.items():
        flag, choices = f"--{name.replace('_', '-')}", get_args(field.annotation)
        parser.add_argument(flag, choices=choices, default=field.default, help=field.description)
    parser.set_defaults(labels="scored")
    parser.add_argument("--workers", type=int, default=2, help="processes that open files")
    return parser


def read_declarations(files: list[Path]) -> Declarations:
    """The declarations of config files, merged in order as Snakemake does.

    Raises:
        InputError: a file is missing or is not YAML, or a declaration has an unknown key or a wrong value.
    """
    own = Declarations(**merged_declarations(map(read_yaml, files)))
    _validate("datasets", dict[str, DatasetDeclaration], own.datasets)
    _validate("class_sets", dict[str, dict[str, ClassDeclaration]], own.class_sets)
    return own


def _validate(key: str, type_: Any, value: Mapping[str, Any]) -> None:
    """Raises InputError unless ``value``, read from YAML, is of a type of settings."""
    try:
        TypeAdapter(type_).validate_json(json.dumps(value, default=str))
    except ValidationError as error:
        raise InputError("\n".join(f"{key}.{line}" for line in explanations(error))) from None
    except (TypeError, ValueError, RecursionError) as error:  # a key of another type, too deep
        raise InputError(f"{key}: cannot be a declaration ({one_line(error)})") from None


def _class_set(name: str, own: Declarations) -> ClassSet:
    if name in own.class_sets:
        return build_class_set(name, own.class_sets[name])
    if name not in CLASS_SETS:
        known = ", ".join([*CLASS_SETS, *own.class_sets])
        raise InputError(f"--class-set: expected one of {known}, but got {name!r}")
    return CLASS_SETS[name]


def _formats(name: str | None, split: str | None, root: Path, own: Declarations) -> dict[str, Format]:
    """The requested format, or else all fitting ones."""
    if name is not None:
        if name not in own.datasets and name not in format_names():
            known = ", ".join([*format_names(), *own.datasets])
            raise InputError(f"--dataset: expected one of {known}, but got {name!r}")
        return {name: format_named(name, own.datasets.get(name))}
    formats = {each: format_named(each) for each in format_names()}
    formats |= {each: format_named(each, entry) for each, entry in own.datasets.items()}
    return _fitting(formats, split, root)


def _fitting(formats: dict[str, Format], split: str | None, root: Path) -> dict[str, Format]:
    """The formats with images under ``root``; if some of them have labels there too, only these.

    ``folder`` is taken only if no other format fits. Formats with images of other splits than ``split`` are a last
    resort: their inspection names the splits.
    """
    candidates = {name: format_ for name, format_ in formats.items() if name != "folder"}
    listed: dict[str, list[Sample]] = {}
    passed_over: dict[str, str] = {}  # reason -> names of formats
    for name, format_ in candidates.items():
        try:
            if splits := format_.splits(root):
                listed[name] = _samples(format_, root, [split] if split else splits)
        except InputError as error:
            passed_over[str(error)] = f"{passed_over[str(error)]}, {name}" if str(error) in passed_over else name
    for reason, names in passed_over.items():
        print(f"passed over {names}: {reason}\n")
    with_images = [name for name, samples in listed.items() if any(sample.image for sample in samples)]
    with_labels = [name for name in with_images if any(sample.label for sample in listed[name])]
    if fitting := with_labels or with_images or [name for name in listed if split]:
        return {name: formats[name] for name in fitting}
    if nested := next(_nested(candidates, root), None):
        raise InputError(nested)
    if not formats["folder"].splits(root):
        layouts = "\n".join(f"  {name}: {format_.layout('SPLIT')}" for name, format_ in formats.items())
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in unread(root, ".").most_common())
        there = f" of a supported kind, but {kinds}: convert them to PNG or JPEG" if kinds else ""
        raise InputError(f"{root}: no dataset and no image{there}; expected, for a split SPLIT:\n{layouts}")
    return {"folder": formats["folder"]}


def _samples(format_: Format, root: Path, splits: list[str]) -> list[Sample]:
    """The samples of several splits."""
    return [sample for split in splits for sample in listing_of(format_, root, split).samples]


def _nested(formats: Mapping[str, Format], root: Path) -> Iterator[str]:
    """A line for each dataset one folder further down."""
    for folder in (Path(entry.path) for entry in entries(root) if is_folder(entry)):
        for name, format_ in formats.items():
            if format_.splits(folder):
                yield (
                    f"{root}: no dataset there, but {folder} holds images of {name}: unpack all parts of a dataset "
                    "into one folder, and pass that folder"
                )


if __name__ == "__main__":
    stage(main)
