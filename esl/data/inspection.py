"""Opens every file of a dataset once and reports every defect before any computation starts."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from tqdm import tqdm

from esl.classes import IGNORE, ClassSet, IdTable, id_table
from esl.data.decoding import decode
from esl.data.formats.base import Format, LabelFiles, Listing, Sample
from esl.data.formats.notes import nearly_fitting, not_read, nothing_there, same_names, without_labels
from esl.data.id_labels import channel_bits, decode_ids, has_grey_palette, unknown_ids
from esl.data.images import SizeWH, as_rgb, highest_value, read_bytes
from esl.data.index import Index, IndexedSample, require_plain_id
from esl.data.notes import dark, dark_colours, grey_palettes, truncate, unknown_label_ids
from esl.data.settings import Checks
from esl.data.splits import listing_of
from esl.errors import InputError, Problem, printable
from esl.files import is_text


@dataclass(frozen=True)
class Inspection:
    """The index of the sound samples, the label ids in them, every defect, and notes for the user."""

    index: Index
    present: frozenset[int]
    defects: list[str]
    notes: list[str]

    def sound_index(self) -> Index:
        """The index; InputError lists the defects if there are any."""
        if self.defects:
            raise InputError(
                f"{self.index.dataset} {self.index.split!r} under {self.index.root}: {len(self.defects)} defect(s)\n  "
                + "\n  ".join(truncate(self.defects))
            )
        return self.index


@dataclass(frozen=True)
class _ImageReport:
    """One sound image file."""

    size_wh: SizeWH
    sha256: str
    highest: int | None  # value of a grey image of 16 bits; None for any other
    brightest: int | None  # upper byte of a colour image of 16 bits; None for any other


@dataclass(frozen=True)
class _LabelReport:
    """One readable label file."""

    size_wh: SizeWH
    sha256: str
    ids: frozenset[int]
    pixels: list[int]
    unknown: list[int]  # ids outside of the format
    grey_palette: bool  # see has_grey_palette


@dataclass(frozen=True)
class _SampleReport:
    """The result for one sample: the indexed sample, its defects, or the path of an image left out."""

    sample: IndexedSample | None = None
    image: _ImageReport | None = None
    label: _LabelReport | None = None
    defects: tuple[str, ...] = ()
    left_out: str | None = None


def inspect(
    name: str, format_: Format, root: Path, split: str, class_set: ClassSet, checks: Checks, *, workers: int = 1
) -> Inspection:
    """Opens every file of a split once.

    Args:
        name: The name of the format in the config.
        split: One of the format's splits, or a list file: see ``splits``.

    Raises:
        InputError: there is no sample, or a list or table of the format is missing or damaged.
    """
    listing = listing_of(format_, root, split)
    if not listing.samples:
        raise InputError(nothing_there(name, format_, root, split, listing))
    label_files = listing.label_files or LabelFiles("", ())
    labelled = sum(sample.label is not None for sample in listing.samples)
    required = checks.labels == "required"
    check = partial(
        _inspect_sample,
        root=root,
        table=id_table(label_files.labels, class_set, label_files.encoding),
        num_classes=len(class_set),
        checks=checks,
        required=required,
        bits=listing.bits,
    )
    reports = _in_processes(check, listing.samples, workers, desc=f"index {split}")
    index = Index(
        dataset=name,
        root=str(root),
        split=split,
        class_set=class_set,
        label_files=label_files.pattern.replace("{split}", split) or None,
        encoding=label_files.encoding,
        labels=tuple(replace(label, train_id=IGNORE) for label in label_files.labels),
        samples=[each.sample for each in reports if each.sample is not None],
        left_out=tuple(each.left_out for each in reports if each.left_out is not None),
        bits=listing.bits,
    )
    notes = [*_notes(root, listing, [each for each in reports if each.sample is not None])]
    near = [*nearly_fitting(root, listing)] or [*without_labels(root, listing)]
    defects = [*map(str, listing.defects), *(defect for each in reports for defect in each.defects)]
    if not defects:
        counted = required or (checks.labels == "scored" and labelled > 0)
        defects = [*map(str, _defects_of_the_whole(index, counted))]
    if defects:  # they may explain each other
        defects += near
    else:
        notes += near
    present = frozenset[int]().union(*(each.label.ids for each in reports if each.label is not None))
    return Inspection(index, present, [*map(printable, defects)], [*map(printable, notes)])


def _notes(root: Path, listing: Listing, sound: list[_SampleReport]) -> Iterator[str]:
    """Notes on the folder and on the values of sound files."""
    images = [each.image for each in sound if each.image is not None]
    yield from not_read(root, listing)
    yield from same_names(root, listing)
    yield from dark(root, [image.highest for image in images if image.highest is not None], listing.bits)
    yield from dark_colours(root, [image.brightest for image in images if image.brightest is not None])
    yield from grey_palettes(root, sum(each.label is not None and each.label.grey_palette for each in sound))


def _in_processes(
    check: Callable[[Sample], _SampleReport], samples: list[Sample], workers: int, desc: str
) -> list[_SampleReport]:
    try:
        with ProcessPoolExecutor(workers) as pool:
            results = pool.map(check, samples, chunksize=16)
            return list(tqdm(results, total=len(samples), desc=desc, unit="image", mininterval=5))
    except BrokenProcessPool:
        raise InputError(
            "a process for opening images was killed, perhaps for want of memory; ask for more memory, or let fewer "
            "processes open them (--workers; the threads of the rule)"
        ) from None


def _inspect_sample(
    sample: Sample, *, root: Path, table: IdTable, num_classes: int, checks: Checks, required: bool, bits: int
) -> _SampleReport:
    """The indexed sample, or its defects."""
    try:
        image_path = _check_files(sample, root)
        if sample.label is None and required:
            if checks.missing_labels == "skip":
                return _SampleReport(left_out=image_path.relative_to(root).as_posix())
            raise InputError("an image without its label; expected it next to the others")
    except InputError as error:
        return _SampleReport(defects=(f"{sample.image or sample.label}: {error}",))
    defects: list[str] = []
    image = label = None
    try:
        image = _image_report(image_path, bits)
    except InputError as error:
        defects.append(str(error))
    if sample.label is not None:
        try:
            label = _label_report(sample.label, table, num_classes)
            defects += map(str, _label_defects(sample.label, label, image, table, checks))
        except InputError as error:
            defects.append(str(error))
    if defects or image is None:
        return _SampleReport(label=label, defects=tuple(defects))
    return _SampleReport(_index_entry(sample, image_path, root, image, label), image, label)


def _check_files(sample: Sample, root: Path) -> Path:
    """The path of the sample's image.

    Raises:
        InputError: the id or a path cannot stand in files of results, or there is no image.
    """
    require_plain_id(sample.id)
    for path in filter(None, (sample.image, sample.label)):
        if not is_text(str(path.relative_to(root))):
            raise InputError("its name is not in UTF-8; rename it (convmv does whole folders)")
    if sample.image is None:
        raise InputError("a label without its image; expected it next to the others")
    return sample.image


def _image_report(path: Path, bits: int) -> _ImageReport:
    _, content = read_bytes(path)
    image = decode(path, content)
    pixels = as_rgb(path, image, bits=bits)
    height, width = pixels.shape[:2]
    highest = highest_value(image)
    brightest = int(pixels.max()) if highest is None and channel_bits(image, content) > 8 else None
    return _ImageReport((width, height), sha256(content).hexdigest(), highest, brightest)


def _label_report(path: Path, table: IdTable, num_classes: int) -> _LabelReport:
    _, content = read_bytes(path)
    ids = decode_ids(path, content, table)
    counts = np.bincount(ids.ravel(), minlength=256)
    pixels = np.bincount(table.train_ids, weights=counts, minlength=256)[:num_classes].astype(int)
    return _LabelReport(
        (ids.shape[1], ids.shape[0]),
        sha256(content).hexdigest(),
        frozenset(np.flatnonzero(counts).tolist()),
        pixels.tolist(),
        unknown_ids(ids, table),
        table.encoding == "ids" and has_grey_palette(content),
    )


def _label_defects(
    path: Path, label: _LabelReport, image: _ImageReport | None, table: IdTable, checks: Checks
) -> Iterator[Problem]:
    """The defects of a readable label."""
    if label.unknown:
        yield Problem((str(path),), unknown_label_ids(label.unknown, table.known))
    if image and image.size_wh != label.size_wh and checks.mismatched_labels == "error":
        (label_width, label_height), (width, height) = label.size_wh, image.size_wh
        yield Problem(
            (str(path),),
            f"a label of {label_width}x{label_height} for an image of {width}x{height}; "
            "fix the file, or set mismatched_labels: resize to have such labels resized (nearest)",
        )


def _index_entry(
    sample: Sample, image_path: Path, root: Path, image: _ImageReport, label: _LabelReport | None
) -> IndexedSample:
    return IndexedSample(
        id=sample.id,
        image=image_path.relative_to(root).as_posix(),
        size_wh=image.size_wh,
        label=sample.label.relative_to(root).as_posix() if sample.label else None,
        label_size_wh=label.size_wh if label and label.size_wh != image.size_wh else None,
        pixels=label.pixels if label else None,
        image_sha256=image.sha256,
        label_sha256=label.sha256 if label else None,
    )


def _defects_of_the_whole(index: Index, required: bool) -> Iterator[Problem]:
    """Defects of the dataset as a whole."""
    if not index.samples:
        yield Problem((index.root,), f"every image was left out, since none has a label ({index.label_files})")
    elif required and not any(index.class_pixels().values()):
        yield Problem(
            (index.root,),
            f"no pixel of any class of {index.class_set.name} in any label ({index.label_files}); "
            "are they dummies, like those of Cityscapes' test split (to predict the images without them, remove them), "
            "or of another format?",
        )
