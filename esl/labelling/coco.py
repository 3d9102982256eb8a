"""Reads COCO files of annotations: polygons, and run-length encoded masks as lists or as text.

The format is that of cocodataset.org/#format-data. Each annotation is painted over those before it in the file, as
tools draw them. A file called `train.json` or `instances_train.json` is for the set `train`; so with `measure`.
"""

from collections import defaultdict
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from esl.classes import IGNORE, ClassSet
from esl.data.decoding import check_size
from esl.errors import InputError, explanations, one_line, printable
from esl.labelling.annotated import AnnotatedImage, ReadLabel, named_set, train_id_of, without_ending
from esl.labelling.tree import Tree

BEYOND = 1.0
"""The pixels that a polygon may reach beyond the border of its image: tools round, or count from pixel centres."""


class _Part(BaseModel):
    """A part of a file; other keys are left out."""

    model_config = ConfigDict(allow_inf_nan=False)


class _Image(_Part):
    id: int
    file_name: str
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]


class _Category(_Part):
    id: int
    name: str


class _Runs(_Part):
    """A run-length encoded mask: lengths of runs of 0 and 1 in turn, column by column."""

    size: tuple[int, int]  # height, width
    counts: list[int] | str


class _Annotation(_Part):
    id: int | str | None = None
    image_id: int
    category_id: int
    segmentation: _Runs | list[list[float]] = []


class _Coco(_Part):
    """The parts of a COCO file that decide labels."""

    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation]


def annotated_images(tree: Tree) -> list[AnnotatedImage]:
    """Every image with an annotation.

    Raises:
        InputError: a file is damaged or is not COCO, or an annotation is of an image or a category that is not there.
    """
    files = [name for name in tree.names if name.lower().endswith(".json")]
    usual = [name for name in files if PurePosixPath(name).parent.name == "annotations"]
    return [image for name in usual or files for image in _images_of(tree, name)]


def _images_of(tree: Tree, name: str) -> list[AnnotatedImage]:
    path, coco = tree.path / printable(name), _parsed(tree, name)
    set_ = named_set(PurePosixPath(name).stem.rpartition("_")[2])
    names = {category.id: category.name for category in coco.categories}
    by_image: dict[int, list[_Annotation]] = defaultdict(list)
    for annotation in coco.annotations:
        by_image[annotation.image_id].append(annotation)
        if annotation.category_id not in names:
            raise InputError(f"{path}: {_shown(annotation)}: there is no category {annotation.category_id}")
    images = {image.id: image for image in coco.images}
    if len(images) < len(coco.images):
        raise InputError(f"{path}: two images have one id; export the labels again")
    if missing := by_image.keys() - images.keys():
        raise InputError(f"{path}: {_shown(by_image[min(missing)][0])}: there is no image {min(missing)}")
    return [
        AnnotatedImage(
            without_ending(image.file_name),
            set_,
            f"{path}: {printable(image.file_name)}",
            partial(_read, path, image, by_image[image.id], names),
        )
        for image in coco.images
        if image.id in by_image
    ]


def _parsed(tree: Tree, name: str) -> _Coco:
    path = tree.path / printable(name)
    try:
        return _Coco.model_validate_json(tree.read(name).removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        reason = one_line(next(explanations(error)))
        raise InputError(f"{path}: not a COCO file of annotations ({reason}); export the labels again") from None


def _shown(annotation: _Annotation) -> str:
    return f"annotation {one_line(annotation.id, 40)}"


def _read(
    path: Path, image: _Image, annotations: list[_Annotation], names: dict[int, str], class_set: ClassSet
) -> ReadLabel:
    check_size(path, image.width, image.height)
    label = np.full((image.height, image.width), IGNORE, dtype=np.uint8)
    unknown = set()
    for annotation in annotations:
        try:
            mask = _mask(annotation.segmentation, image)
        except ValueError as error:
            raise InputError(f"{path}: {printable(image.file_name)}: {_shown(annotation)}: {error}") from None
        name = names[annotation.category_id]
        id_ = train_id_of(name, class_set)
        if id_ is None and mask.any():
            unknown.add(name)
        label[mask] = IGNORE if id_ is None else id_
    return ReadLabel(label, frozenset(unknown))


def _mask(segmentation: _Runs | list[list[float]], image: _Image) -> NDArray[np.bool_]:
    """The pixels (H, W) of an annotation; ValueError if it does not fit its image."""
    if isinstance(segmentation, list):
        return _of_polygons(segmentation, image)
    if segmentation.size != (image.height, image.width):
        height, width = segmentation.size
        raise ValueError(
            f"its mask is {width}x{height}, but the image {image.width}x{image.height}; export the labels again"
        )
    counts = segmentation.counts
    return decoded_runs(decoded_counts(counts) if isinstance(counts, str) else counts, segmentation.size)


def decoded_counts(text: str) -> list[int]:
    """The lengths of runs in COCO's text: maskApi.c of pycocotools, rleFrString, which does not check its input.

    Five bits a character, from the lowest; from the fourth length on the difference from the last but one.

    Raises:
        ValueError: the text is cut or damaged.

    >>> decoded_counts("52203")
    [5, 2, 2, 2, 5]
    """
    counts: list[int] = []
    value = shift = 0
    for place, char in enumerate(text):
        code = ord(char) - 48
        if not 0 <= code < 64 or shift > 60:
            raise ValueError("its run-length encoded mask is damaged; export the labels again")
        value |= (code & 31) << shift
        shift += 5
        if code & 32 and place + 1 < len(text):
            continue
        if code & 32:
            raise ValueError("its run-length encoded mask is cut; export the labels again")
        value -= (code & 16) << shift - 4 if code & 16 else 0
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return counts


def decoded_runs(counts: list[int], size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """The mask (H, W) of runs of False and True in turn, column by column.

    Raises:
        ValueError: the runs do not fill the mask exactly.

    >>> decoded_runs([1, 2, 1], (2, 2)).tolist()
    [[False, True], [True, False]]
    """
    height, width = size_hw
    if min(counts, default=0) < 0 or sum(counts) != height * width:
        raise ValueError(f"its run-length encoded mask does not fill {width}x{height} pixels; export the labels again")
    runs = np.arange(len(counts)) % 2 == 1
    return np.repeat(runs, counts).reshape(width, height).T


def _of_polygons(polygons: list[list[float]], image: _Image) -> NDArray[np.bool_]:
    """The pixels (H, W) in any of the polygons, as pycocotools fills them."""
    if not polygons:
        raise ValueError("it has neither a polygon nor a mask; draw one in place of a box")
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(f"a polygon of {len(polygon)} numbers; expected x and y of three points or more")
        for axis, side, numbers in (("x", image.width, polygon[::2]), ("y", image.height, polygon[1::2])):
            if min(numbers) < -BEYOND or max(numbers) > side + BEYOND:
                raise ValueError(
                    f"a polygon reaches over the border of its image: {axis} from {min(numbers):g} to "
                    f"{max(numbers):g}, but expected 0 to {side}; was it drawn on another image, or on another size?"
                )
    masks = _pycocotools()
    encoded = masks.merge(masks.frPyObjects(polygons, image.height, image.width))
    return np.asarray(masks.decode(encoded), dtype=np.bool_)


def _pycocotools() -> Any:
    try:
        from pycocotools import mask
    except ModuleNotFoundError:
        raise InputError("COCO needs the package pycocotools: pip install 'esl[export]'") from None
    return mask
